"""FHIR → record: the markers of every instance, read from the ImagingStudy's extensions (D4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deidfhir.fhir.extensions import named
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.identity import bare
from deidfhir.mapping.items import slot_items, slot_values
from deidfhir.mapping.markers import FIELDS, REASON, VERDICT
from deidfhir.model.attributes import by_keyword
from deidfhir.model.record import Markers
from deidfhir.model.verdict import Verdict
from deidfhir.tables import table

MARKERS_SUFFIX: str = "/StructureDefinition/" + table("urls.toml")["extension"]["markers"]


@dataclass(frozen=True, slots=True)
class StatedInstance:
    """What a server's ImagingStudy states of one instance.

    Args:
        series_uid: Series Instance UID.
        sop_instance_uid: SOP Instance UID.
        verdict: The verdict, or None where the resource states none.
        reasons: Codes of the verdict's reasons.
        markers: The marker attributes, verbatim but for what is MASKED.
    """

    series_uid: str
    sop_instance_uid: str
    verdict: Verdict | None
    reasons: tuple[str, ...]
    markers: Markers


@dataclass(frozen=True, slots=True)
class StatedStudy:
    """What a server's resources state of one study.

    Args:
        study_uid: Study Instance UID, or an empty text.
        verdict: The study's verdict, or None where the resource states none.
        instances: Its instances, in the resource's order.
        provenances: The Provenance resources that target it, as given.
    """

    study_uid: str
    verdict: Verdict | None
    instances: tuple[StatedInstance, ...]
    provenances: tuple[JsonObject, ...]


def read_back(resources: Iterable[JsonObject]) -> list[StatedStudy]:
    """Return what FHIR resources state of each study's de-identification.

    Args:
        resources: Resources of any kind, such as those of a search for
            `ImagingStudy?_revinclude=Provenance:target`, or a Bundle that holds them.
    """
    every = [one for resource in resources for one in _unpacked(resource)]
    provenances = [one for one in every if one["resourceType"] == "Provenance"]
    return [_stated(one, provenances) for one in every if one["resourceType"] == "ImagingStudy"]


def _unpacked(resource: JsonObject) -> list[JsonObject]:
    if resource["resourceType"] != "Bundle":
        return [resource]
    return [one["resource"] for one in resource.get("entry", ()) if "resource" in one]


def _stated(study: JsonObject, provenances: list[JsonObject]) -> StatedStudy:
    own = f"ImagingStudy/{study.get('id')}"
    top = _slots(study)
    return StatedStudy(
        study_uid=_study_uid(study),
        verdict=_verdict(top),
        instances=tuple(
            _instance(series, instance, top)
            for series in study.get("series", ())
            for instance in series.get("instance", ())
        ),
        provenances=tuple(
            one
            for one in provenances
            if any(_unversioned(target) == own for target in one.get("target", ()))
        ),
    )


def _unversioned(target: JsonObject) -> str:
    path: str = target.get("reference", "").split("/_history/")[0]
    return "/".join(path.split("/")[-2:])


def _study_uid(study: JsonObject) -> str:
    system = table("urls.toml")["hl7"]["dicom_uid"]
    for one in study.get("identifier", ()):
        if one.get("system") == system:
            return bare(one["value"])
    return ""


def _slots(element: JsonObject) -> list[JsonObject]:
    """Return the slots of our extension, under whichever canonical base it was published."""
    found: list[JsonObject] = []
    for one in element.get("extension", ()):
        if one.get("url", "").endswith(MARKERS_SUFFIX):
            found += one["extension"]
    return found


def _instance(series: JsonObject, instance: JsonObject, top: list[JsonObject]) -> StatedInstance:
    levels = [_slots(instance), _slots(series), top]
    verdicts = [slots for slots in levels if named(slots, VERDICT)]
    reasons = [one["valueCode"] for one in named(verdicts[0], REASON)] if verdicts else []
    return StatedInstance(
        series_uid=series["uid"],
        sop_instance_uid=instance["uid"],
        verdict=_verdict(verdicts[0]) if verdicts else None,
        reasons=tuple(reasons),
        markers=_markers(levels),
    )


def _verdict(slots: list[JsonObject]) -> Verdict | None:
    found = named(slots, VERDICT)
    return Verdict(found[0]["valueCode"]) if found else None


def _markers(levels: list[list[JsonObject]]) -> Markers:
    """Return each attribute from the one level that carries it."""
    fields: dict[str, Any] = {}
    for keyword, field in FIELDS.items():
        attribute = by_keyword("object")[keyword]
        slots = next((level for level in levels if named(level, attribute.slot)), [])
        if attribute.items:
            fields[field] = slot_items(slots, attribute.slot, attribute.items)
        else:
            fields[field] = slot_values(slots, attribute.slot)
    fields["equipment"] = fields["equipment"] or ()
    return Markers(**fields)
