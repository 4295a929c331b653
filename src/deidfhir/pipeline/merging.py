"""A part of a study that was read, and what the target holds of the rest → one study (D19)."""

from __future__ import annotations

from deidfhir.fhir.types import reference
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.held import held_instances
from deidfhir.mapping.shrunk import least
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.record import Instance
from deidfhir.model.study import Study
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.comparing import comparable
from deidfhir.sync.unit import HeldPart, Refused, Unit


def merged(work: SyncWork, one: Unit | Refused, held: HeldPart) -> Unit | Refused | None:
    """Return a study with what the target holds of it, or None where that cannot be told.

    Args:
        work: The run's.
        one: What was read of the study.
        held: What the target holds of it.
    """
    context = work.context
    every = faithful(one.key, held, context)
    kept = tuple(x for x in every if context.namer.stands_for(x.sop_instance_uid) in held.kept)
    if len(kept) < len(held.kept):
        return None
    read = work.reading.fold.study(one.key)
    others = [x for x in every if x not in kept]
    unasked = context.settings.patient == "resource" and held.patient is None
    if unasked or (others and not held.same):
        # What stands for a whole study or series may have been given by others of it alone: then
        # nobody knows what those that are kept gave. It is told only where it makes no difference.
        fewer = least(kept, others, read.instances, context)
        if _stated(map_study(read, context, kept)) != _stated(map_study(read, context, fewer)):
            return None
    return work.merged(one, kept)


def faithful(uid: str, held: HeldPart, context: MappingContext) -> tuple[Instance, ...]:
    """Return the instances that a target holds, if they are mapped to just what it holds.

    Args:
        uid: Study Instance UID.
        held: What the target holds.
        context: The mapping's.
    """
    wanted = [held.study, *held.provenances, *([held.patient] if held.patient else [])]
    stated = {reference(one): comparable(one) for one in wanted}
    for candidate in held_instances(held.study, held.provenances, held.patient, context):
        if {candidate[0].study_uid} == {uid}:
            made = map_study(Study(uid, ()), context, candidate)
            if _stated(made) == stated:
                return candidate
    return ()


def _stated(made: MappedStudy) -> dict[str, str]:
    """Return reference → what is compared of a study's own resources."""
    own = (*made.patients, made.imaging_study, *made.provenances)
    return {reference(one): comparable(one) for one in own}
