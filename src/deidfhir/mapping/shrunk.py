"""The least that held instances may have given where others of their study are read anew (D19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.held import SERIES_FACTS, STUDY_FACTS
from deidfhir.model.record import Facts, Instance

_SOME_MODALITY = "OT"


def least(
    kept: Iterable[Instance],
    others: Iterable[Instance],
    read: Iterable[Instance],
    context: MappingContext,
) -> tuple[Instance, ...]:
    """Return the kept instances without what others of their study or series may have given.

    Args:
        kept: Instances that a target holds, with what their study and series state.
        others: Those that it holds, too, and that were read anew, or are gone.
        read: Those that were read.
        context: The mapping's.
    """
    away, modalities = list(others), {one.series_uid: one.facts.modality for one in read}
    series = {one.series_uid for one in away}
    study = STUDY_FACTS if away else ()
    if context.settings.patient == "resource":
        study = (*study, "patient_sex")
    found = []
    for one in kept:
        facts = (*study, *(SERIES_FACTS if one.series_uid in series else ()))
        fewer = _without(one.facts, facts)
        if away:
            fewer = replace(fewer, encrypted=False)
        if one.series_uid in series and not fewer.modality:
            # Where a modality differs, any may be that of those that are kept.
            fewer = replace(fewer, modality=modalities.get(one.series_uid, _SOME_MODALITY))
        found.append(one._replace(facts=fewer))
    return tuple(found)


def _without(facts: Facts, names: tuple[str, ...]) -> Facts:
    blank: dict[str, Any] = dict.fromkeys(names, "")
    return replace(
        facts,
        withheld=facts.withheld - set(names),
        unsettled=facts.unsettled - set(names),
        **blank,
    )
