"""A Provenance whose target is someone else's ImagingStudy: all markers stand on it (D21)."""

from __future__ import annotations

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.leaving import LeavingStudy
from deidfhir.mapping.markers import extension, place
from deidfhir.mapping.naming import Named, naming
from deidfhir.mapping.steps import MarkerSet
from deidfhir.model.record import Instance
from deidfhir.tables import table

_Series = dict[str, tuple[Instance, ...]]


def linked_target(study: LeavingStudy, marker_set: MarkerSet, foreign: Foreign) -> JsonObject:
    """Return the target: the resource as a whole only where it lists exactly what was read.

    Args:
        study: The study.
        marker_set: The instances meant.
        foreign: What the resource lists.
    """
    target: JsonObject = {"reference": f"ImagingStudy/{foreign.id}", "type": "ImagingStudy"}
    if _is_whole(study, marker_set, foreign):
        return target
    url = table("urls.toml")["hl7"]["target_path"]
    paths = [
        path
        for uid, members in _meant(study, marker_set).items()
        for path in _paths(uid, [one.sop_instance_uid for one in members], foreign)
    ]
    return {"extension": [{"url": url, "valueString": path} for path in paths], **target}


def linked_extensions(
    study: LeavingStudy, marker_set: MarkerSet, foreign: Foreign, context: MappingContext
) -> list[JsonObject]:
    """Return the markers of a set, as they would stand on an ImagingStudy of ours.

    Args:
        study: The study.
        marker_set: The instances meant.
        foreign: What the resource lists.
        context: The mapping's.
    """
    series = _meant(study, marker_set)
    placed = place(series, context)
    found = extension(placed.study, context)
    deeper = any(placed.series.values()) or any(placed.instances.values())
    if deeper or not _is_whole(study, marker_set, foreign):
        names = [
            Named(
                uid,
                extension(placed.series[uid], context),
                [
                    Named(one, extension(placed.instances.get(one, []), context))
                    for one in (each.sop_instance_uid for each in members)
                ],
            )
            for uid, members in series.items()
        ]
        found.append(naming(names, context))
    return found


def _is_whole(study: LeavingStudy, marker_set: MarkerSet, foreign: Foreign) -> bool:
    return len(marker_set.instances) == len(study.instances) and foreign.lists(study)


def _meant(study: LeavingStudy, marker_set: MarkerSet) -> _Series:
    meant = {one.sop_instance_uid for one in marker_set.instances}
    series = {
        uid: tuple(one for one in members if one.sop_instance_uid in meant)
        for uid, members in study.series().items()
    }
    return {uid: members for uid, members in series.items() if members}


def _paths(uid: str, inside: list[str], foreign: Foreign) -> list[str]:
    """Return FHIRPath expressions for a series, or for its instances where it has others, too."""
    series = f"ImagingStudy.series.where(uid = '{uid}')"
    if foreign.complete and foreign.series.get(uid) == frozenset(inside):
        return [series]
    return [f"{series}.instance.where(uid = '{one}')" for one in inside]
