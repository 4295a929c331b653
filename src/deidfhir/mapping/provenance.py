"""A step → Provenance (D10 to D15): what the object states of who, when and by which method."""

from __future__ import annotations

from deidfhir.fhir.extensions import UNKNOWN, data_absent
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.inferred import inferred_extensions, recognised_in_all, tools_said
from deidfhir.mapping.leaving import LeavingStudy
from deidfhir.mapping.linked import linked_extensions, linked_target
from deidfhir.mapping.markers import attribute_slots, extension
from deidfhir.mapping.promoted import promoted_agents
from deidfhir.mapping.sentences import sentence
from deidfhir.mapping.steps import MarkerSet, Step, predecessors, steps_of
from deidfhir.mapping.terminology import policy_of
from deidfhir.tables import table

NO_EQUIPMENT = "No de-identifying equipment is recorded"
UNNAMED_EQUIPMENT = "The recorded de-identifying equipment is not named"
SCOPE, KEY, PLACE = "scope", "key", "place"


def provenances_of(
    study: LeavingStudy,
    marker_set: MarkerSet,
    context: MappingContext,
    foreign: Foreign | None = None,
) -> list[JsonObject]:
    """Return the Provenance resources of one marker set of a study.

    Args:
        study: The study.
        marker_set: One of its sets whose verdict is `removed`.
        context: The mapping's.
        foreign: Someone else's ImagingStudy, which they target instead of ours (D21).
    """
    steps = steps_of(marker_set, context)
    before = predecessors(steps)
    if foreign is None:
        target = _target(study, marker_set, context)
    else:
        target = linked_target(study, marker_set, foreign)
    if foreign is None or foreign.enriched:
        markers = _repeated(marker_set, context)
    else:
        markers = linked_extensions(study, marker_set, foreign, context)
    found = []
    for step in steps:
        one = _provenance(study, marker_set, step, markers, context)
        one["extension"] += [
            {
                "url": context.url("follows"),
                "valueReference": {
                    "reference": "Provenance/"
                    + context.namer.provenance(study.uid, key, marker_set.place)
                },
            }
            for key in before.get(step.key, ())
        ]
        one["target"] = [target]
        found.append(one)
    return found


def _repeated(marker_set: MarkerSet, context: MappingContext) -> list[JsonObject]:
    """Return what a Provenance repeats of the markers that our ImagingStudy holds."""
    slots = attribute_slots("DeidentificationMethod", marker_set.markers, context)
    slots += attribute_slots("DeidentificationMethodCodeSequence", marker_set.markers, context)
    return extension(slots, context)


def _provenance(
    study: LeavingStudy,
    marker_set: MarkerSet,
    step: Step,
    markers: list[JsonObject],
    context: MappingContext,
) -> JsonObject:
    resource: JsonObject = {
        "resourceType": "Provenance",
        "id": context.namer.provenance(study.uid, step.key, marker_set.place),
        "meta": context.profile("Provenance"),
    }
    inferences = recognised_in_all(marker_set.facts, context).inferences
    if context.settings.narrative:
        resource["text"] = narrative(sentence(step, marker_set) + tools_said(inferences))
    resource["extension"] = [_step(step, marker_set, context)]
    if step.is_whole:
        resource["extension"] += markers
        resource["extension"] += inferred_extensions(inferences, context)
    resource["target"] = []  # its place in the order of elements; filled by the caller
    resource.update(_occurred(step, context))
    resource.update(recorded(context))
    codes = sorted(marker_set.markers.option_codes()) if step.is_whole else []
    if policies := [policy for code in codes if (policy := policy_of(code))]:
        resource["policy"] = list(dict.fromkeys(policies))
    resource["activity"] = _activity(context)
    resource["agent"] = _agents(step, marker_set, context)
    return resource


def _step(step: Step, marker_set: MarkerSet, context: MappingContext) -> JsonObject:
    return {
        "url": context.url("step"),
        "extension": [
            {"url": SCOPE, "valueCode": "whole" if step.is_whole else "item"},
            {"url": KEY, "valueString": step.key},
            {"url": PLACE, "valueString": marker_set.place},
        ],
    }


def _target(study: LeavingStudy, marker_set: MarkerSet, context: MappingContext) -> JsonObject:
    target: JsonObject = {
        "reference": f"ImagingStudy/{context.namer.imaging_study(study.uid)}",
        "type": "ImagingStudy",
    }
    if len(marker_set.instances) < len(study.instances):
        url = table("urls.toml")["hl7"]["target_path"]
        paths = _paths(study, marker_set)
        target = {"extension": [{"url": url, "valueString": path} for path in paths], **target}
    return target


def _paths(study: LeavingStudy, marker_set: MarkerSet) -> list[str]:
    """Return FHIRPath expressions for the series and instances meant, series where whole."""
    meant = {one.sop_instance_uid for one in marker_set.instances}
    paths = []
    for uid, members in study.series().items():
        inside = [one.sop_instance_uid for one in members if one.sop_instance_uid in meant]
        series = f"ImagingStudy.series.where(uid = '{uid}')"
        if len(inside) == len(members):
            paths.append(series)
        else:
            paths += [f"{series}.instance.where(uid = '{one}')" for one in inside]
    return paths


def _occurred(step: Step, context: MappingContext) -> JsonObject:
    if step.occurred is None:
        return {}
    first, last = step.occurred
    shifted = {"extension": [{"url": context.url("shifted"), "valueBoolean": True}]}
    if first == last:
        element: JsonObject = {"occurredDateTime": first}
        return {**element, "_occurredDateTime": shifted} if step.dates_modified else element
    period: JsonObject = {"start": first, "end": last}
    return {"occurredPeriod": {**shifted, **period} if step.dates_modified else period}


def recorded(context: MappingContext) -> JsonObject:
    """Return the element that says when our statement was first made (D15)."""
    if context.recorded is not None:
        return {"recorded": context.recorded}
    if context.version.recorded_required:
        return {"_recorded": {"extension": [data_absent(UNKNOWN)]}}
    return {}


def _activity(context: MappingContext) -> JsonObject:
    hl7 = table("urls.toml")["hl7"]
    codes = {hl7["act_code"]: context.settings.activity, hl7["lifecycle"]: "deidentify"}
    return {
        "coding": [
            {"system": system, "code": codes[system]} for system in context.version.activity_systems
        ]
    }


def _agents(step: Step, marker_set: MarkerSet, context: MappingContext) -> list[JsonObject]:
    system = table("urls.toml")["hl7"]["participant_type"]
    kind = {"coding": [{"system": system, "code": "performer", "display": "Performer"}]}
    if promoted := promoted_agents(marker_set, context):
        return [
            {"extension": one["extension"], "type": kind, "who": one["who"]} for one in promoted
        ]
    devices = [context.namer.device(item) for item in step.items] or [None]
    absent = UNNAMED_EQUIPMENT if step.items else NO_EQUIPMENT
    return [{"type": kind, "who": _who(device, absent)} for device in dict.fromkeys(devices)]


def _who(device: str | None, absent: str) -> JsonObject:
    if device is not None:
        return {"reference": f"Device/{device}", "type": "Device"}
    return {"extension": [data_absent(UNKNOWN)], "type": "Device", "display": absent}
