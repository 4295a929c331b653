"""FHIR → record: the markers of every instance, read from the ImagingStudy's extensions (D4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deidfhir.errors import DataError
from deidfhir.fhir.extensions import MalformedError, named, nested
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.identity import bare
from deidfhir.mapping.items import slot_items, slot_texts, slot_values
from deidfhir.mapping.markers import FIELDS, REASON, VERDICT
from deidfhir.mapping.naming import Named, read_naming
from deidfhir.mapping.unpacking import OnUnreadable, unpacked
from deidfhir.model.attributes import by_keyword
from deidfhir.model.record import Markers
from deidfhir.model.verdict import Verdict, folded
from deidfhir.tables import table

MARKERS_SUFFIX: str = "/StructureDefinition/" + table("urls.toml")["extension"]["markers"]
_INSTANCES_SUFFIX: str = "/StructureDefinition/" + table("urls.toml")["extension"]["instances"]


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


def read_back(
    resources: Iterable[JsonObject], on_unreadable: OnUnreadable | None = None
) -> list[StatedStudy]:
    """Return what FHIR resources state of each study's de-identification.

    What is not in the form of the mapping is never guessed at: the instance, series, study or
    resource that holds it is left out and told.

    Args:
        resources: Resources of any kind, such as those of a search for
            `ImagingStudy?_revinclude=Provenance:target`, or a Bundle that holds them.
        on_unreadable: Called with the place of each statement that cannot be read back, such as
            `entry[3].resource.series[0]`: element names and numbers, never a value.

    Raises:
        DataError: `unreadable`, without `on_unreadable`.
    """
    tell = on_unreadable or _refuse
    every = [found for resource in resources for found in unpacked(resource, tell)]
    provenances = [one for one in every if one[1]["resourceType"] == "Provenance"]
    return [
        study
        for place, one in every
        if one["resourceType"] == "ImagingStudy"
        for study in _stated(one, provenances, place, tell)
    ]


def states_anything(study: JsonObject) -> bool:
    """Whether an ImagingStudy itself states anything, be it something that cannot be read.

    Args:
        study: The resource.
    """
    suffixes = (MARKERS_SUFFIX, _INSTANCES_SUFFIX)
    listed = study.get("extension", [])
    return not isinstance(listed, list) or any(
        isinstance(one, dict) and str(one.get("url", "")).endswith(suffixes) for one in listed
    )


def _refuse(place: str) -> None:
    raise DataError("unreadable", place=place or "the resource")


def _stated(
    study: JsonObject, provenances: list[tuple[str, JsonObject]], place: str, tell: OnUnreadable
) -> Iterator[StatedStudy]:
    own = f"ImagingStudy/{study.get('id')}"
    targeting = [
        (where, one)
        for where, one in provenances
        if any(_unversioned(target) == own for target in _listed(one, "target"))
    ]
    try:
        top = _slots(study)
        uid, verdict = _study_uid(study), _verdict(top)
        series = _objects(study, "series")
        names = _names(study)
        linked = [] if top or names else [one for one in targeting if _is_linked(one[1])]
    except MalformedError:
        tell(place)
        return
    if names or linked:
        instances = tuple(_named_instances(study, place, names, linked, tell))
        verdict = folded(one.verdict or Verdict.UNKNOWN for one in instances) if instances else None
    else:
        instances = tuple(
            instance
            for number, one in enumerate(series)
            for instance in _instances(one, top, f"{place}series[{number}]", tell)
        )
    yield StatedStudy(uid, verdict, instances, tuple(one for _, one in targeting))


def _named_instances(
    study: JsonObject,
    place: str,
    names: list[Named],
    linked: list[tuple[str, JsonObject]],
    tell: OnUnreadable,
) -> Iterator[StatedInstance]:
    """Yield what is stated of instances of someone else's ImagingStudy (D21).

    Args:
        study: That ImagingStudy.
        place: Where it stands.
        names: The instances that it names, with what is stated of each.
        linked: The Provenance that carry all markers, with their places.
        tell: Called with the place of what cannot be read back.
    """
    for number, one in enumerate(names):
        yield from _instances(_element(one), [], f"{place}extension.series[{number}]", tell)
    for where, provenance in linked:
        try:
            top, meant = _slots(provenance), _names(provenance)
            # Without names, all that the resource lists is meant.
            listed = [_element(one) for one in meant] or _objects(study, "series")
        except MalformedError:
            tell(where)
            continue
        for number, series in enumerate(listed):
            yield from _instances(series, top, f"{where}extension.series[{number}]", tell)


def _is_linked(provenance: JsonObject) -> bool:
    """Whether a Provenance carries all markers: then it has a verdict."""
    try:
        return bool(named(_slots(provenance), VERDICT))
    except MalformedError:
        return True  # told where it is read


def _names(resource: JsonObject) -> list[Named]:
    held = [one for one in nested(resource) if one["url"].endswith(_INSTANCES_SUFFIX)]
    if len(held) > 1:
        raise MalformedError
    return read_naming(held[0]) if held else []


def _element(one: Named) -> JsonObject:
    """Return a named series in the form that it has in an ImagingStudy."""
    instances = [{"uid": each.uid, "extension": each.extensions} for each in one.instances]
    return {"uid": one.uid, "extension": one.extensions, "instance": instances}


def _instances(
    series: JsonObject, top: list[JsonObject], place: str, tell: OnUnreadable
) -> Iterator[StatedInstance]:
    try:
        slots, uid = _slots(series), _uid(series)
        instances = _objects(series, "instance")
        _verdict(slots)
    except MalformedError:
        tell(place)
        return
    for number, one in enumerate(instances):
        try:
            yield _instance(one, uid, [_slots(one), slots, top])
        except MalformedError:
            tell(f"{place}.instance[{number}]")


def _listed(element: JsonObject, name: str) -> list[Any]:
    found = element.get(name, [])
    return found if isinstance(found, list) else []


def _objects(element: JsonObject, name: str) -> list[JsonObject]:
    found = element.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MalformedError
    return found


def _unversioned(target: object) -> str:
    reference = target.get("reference") if isinstance(target, dict) else None
    path = reference.split("/_history/")[0] if isinstance(reference, str) else ""
    return "/".join(path.split("/")[-2:])


def _study_uid(study: JsonObject) -> str:
    system = table("urls.toml")["hl7"]["dicom_uid"]
    for one in _objects(study, "identifier"):
        if one.get("system") == system:
            return bare(_text(one, "value"))
    return ""


def _uid(element: JsonObject) -> str:
    return bare(_text(element, "uid"))


def _text(element: JsonObject, name: str) -> str:
    found = element.get(name)
    if not isinstance(found, str) or not found:
        raise MalformedError
    return found


def _slots(element: JsonObject) -> list[JsonObject]:
    """Return the slots of our extension, under whichever canonical base it was published."""
    held = [one for one in nested(element) if one["url"].endswith(MARKERS_SUFFIX)]
    if not held:
        return []
    slots = nested(held[0])
    known = {VERDICT, REASON} | {by_keyword("object")[one].slot for one in FIELDS}
    if len(held) > 1 or not slots or not known.issuperset(one["url"] for one in slots):
        raise MalformedError
    return slots


def _instance(
    instance: JsonObject, series_uid: str, levels: list[list[JsonObject]]
) -> StatedInstance:
    verdicts = [slots for slots in levels if named(slots, VERDICT)]
    reasons = [_text(one, "valueCode") for one in named(verdicts[0], REASON)] if verdicts else []
    return StatedInstance(
        series_uid=series_uid,
        sop_instance_uid=_uid(instance),
        verdict=_verdict(verdicts[0]) if verdicts else None,
        reasons=tuple(reasons),
        markers=_markers(levels),
    )


def _verdict(slots: list[JsonObject]) -> Verdict | None:
    codes = [_text(one, "valueCode") for one in named(slots, VERDICT)]
    if len(codes) > 1 or not set(codes) <= set(Verdict):
        raise MalformedError
    return Verdict(codes[0]) if codes else None


def _markers(levels: list[list[JsonObject]]) -> Markers:
    """Return each attribute from the one level that carries it."""
    fields: dict[str, Any] = {}
    for keyword, field in FIELDS.items():
        attribute = by_keyword("object")[keyword]
        holding = [level for level in levels if named(level, attribute.slot)]
        if len(holding) > 1:
            raise MalformedError  # which of them holds?
        slots = holding[0] if holding else []
        if attribute.items:
            fields[field] = slot_items(slots, attribute.slot, attribute.items)
        elif field == "method":
            fields[field] = slot_texts(slots, attribute.slot)
        else:
            fields[field] = slot_values(slots, attribute.slot)
    fields["equipment"] = fields["equipment"] or ()
    return Markers(**fields)
