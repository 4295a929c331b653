"""The markers extension: each attribute at the highest level where all instances agree (D4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.items import DEVICE, item_slots, value_slots
from deidfhir.mapping.levels import Levels
from deidfhir.mapping.terminology import own_schemes
from deidfhir.model.attributes import by_keyword
from deidfhir.model.record import Facts, Instance, Items, Markers
from deidfhir.model.verdict import Verdict, folded, verdict_of

FIELDS = {
    "PatientIdentityRemoved": "patient_identity_removed",
    "DeidentificationMethod": "method",
    "DeidentificationMethodCodeSequence": "method_code",
    "BurnedInAnnotation": "burned_in_annotation",
    "RecognizableVisualFeatures": "recognizable_visual_features",
    "LongitudinalTemporalInformationModified": "longitudinal_temporal_information_modified",
    "ContributingEquipmentSequence": "equipment",
}
"""DICOM keyword → field of Markers, in the order of the extension."""

VERDICT, REASON = "verdict", "reason"


def place(series: dict[str, tuple[Instance, ...]], context: MappingContext) -> Levels:
    """Return the slots of the markers extension that each level of a study carries.

    Args:
        series: Series UID → its instances, as far as they leave.
        context: The mapping's.
    """
    levels = Levels.of(series)
    _place_verdicts(levels)
    for keyword in FIELDS:

        def content(one: Facts, keyword: str = keyword) -> Hashable:
            return _content(keyword, one.markers)

        for slots, one in levels.places(content):
            slots.extend(attribute_slots(keyword, one.markers, context))
    return levels


def _place_verdicts(levels: Levels) -> None:
    every = levels.facts
    levels.study.extend(_verdict_slots(every))
    if folded(verdict_of(one.markers)[0] for one in every) is not Verdict.MIXED:
        return
    for uid, facts in levels.beneath.items():
        levels.series[uid].extend(_verdict_slots(facts))
        if folded(verdict_of(one.markers)[0] for one in facts) is Verdict.MIXED:
            for one in levels.members[uid]:
                levels.on(one).extend(_verdict_slots([one.facts]))


def _content(keyword: str, markers: Markers) -> Hashable:
    value: Hashable = getattr(markers, FIELDS[keyword])
    is_code = keyword == "DeidentificationMethodCodeSequence"
    # A UID for a scheme whose system the crosswalk knows changes nothing.
    return (value, own_schemes(markers.coding_schemes)) if is_code else value


def _verdict_slots(facts: Iterable[Facts]) -> list[JsonObject]:
    found = [verdict_of(one.markers) for one in facts]
    verdict = folded(one for one, _ in found)
    slots: list[JsonObject] = [{"url": VERDICT, "valueCode": verdict.value}]
    if verdict is not Verdict.MIXED:
        reasons = sorted({code for _, codes in found for code in codes})
        slots += [{"url": REASON, "valueCode": code} for code in reasons]
    return slots


def attribute_slots(keyword: str, markers: Markers, context: MappingContext) -> list[JsonObject]:
    """Return the slots of one attribute.

    Args:
        keyword: Key of FIELDS.
        markers: As far as they leave.
        context: The mapping's.
    """
    attribute = by_keyword("object")[keyword]
    value: Any = getattr(markers, FIELDS[keyword])
    if keyword == "ContributingEquipmentSequence":
        return _equipment_slots(attribute.slot, markers.equipment, context)
    if attribute.items:
        return item_slots(attribute.slot, value, attribute.items, markers.coding_schemes)
    return value_slots(attribute.slot, value)


def _equipment_slots(slot: str, items: Items, context: MappingContext) -> list[JsonObject]:
    slots = item_slots(slot, items or None, "equipment item")
    for item, one in zip(items, slots, strict=True):
        device = context.namer.device(item)
        if device:
            one["extension"].insert(
                1, {"url": DEVICE, "valueReference": {"reference": f"Device/{device}"}}
            )
    return slots


def extension(slots: list[JsonObject], context: MappingContext) -> list[JsonObject]:
    """Return the list of extensions that holds the slots; empty without slots."""
    return [{"url": context.url("markers"), "extension": slots}] if slots else []
