"""The markers extension: each attribute at the highest level where all instances agree (D4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.items import item_slots, value_slots
from deidfhir.mapping.leaving import leaving_markers
from deidfhir.model.attributes import by_keyword
from deidfhir.model.record import Instance, Items, Markers
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

VERDICT, REASON, DEVICE = "verdict", "reason", "device"


@dataclass(frozen=True, slots=True)
class Placed:
    """Which markers extension each level carries.

    Args:
        study: The study's slots.
        series: Series UID → slots.
        instances: SOP Instance UID → slots.
    """

    study: list[JsonObject]
    series: dict[str, list[JsonObject]]
    instances: dict[str, list[JsonObject]]


def place(series: dict[str, tuple[Instance, ...]], context: MappingContext) -> Placed:
    """Distribute the markers of a study's instances over its levels.

    Args:
        series: Series UID → its instances.
        context: The mapping's.
    """
    return _Placement(series, context).placed()


class _Placement:
    def __init__(self, series: dict[str, tuple[Instance, ...]], context: MappingContext) -> None:
        self._series, self._context = series, context
        self._every = [one for members in series.values() for one in members]
        self._leaving = {
            one.sop_instance_uid: leaving_markers(one.markers, context.settings)
            for one in self._every
        }
        self._placed = Placed(
            [], {uid: [] for uid in series}, {one.sop_instance_uid: [] for one in self._every}
        )

    def placed(self) -> Placed:
        self._place_verdicts()
        for keyword in FIELDS:
            self._place_attribute(keyword)
        return self._placed

    def _place_verdicts(self) -> None:
        self._placed.study.extend(_verdict_slots(self._every))
        if folded(verdict_of(one.markers)[0] for one in self._every) is not Verdict.MIXED:
            return
        for uid, members in self._series.items():
            self._placed.series[uid].extend(_verdict_slots(members))
            if folded(verdict_of(one.markers)[0] for one in members) is Verdict.MIXED:
                for one in members:
                    self._placed.instances[one.sop_instance_uid].extend(_verdict_slots([one]))

    def _place_attribute(self, keyword: str) -> None:
        if len({self._content(keyword, one) for one in self._every}) == 1:
            self._placed.study.extend(self._slots(keyword, self._every[0]))
            return
        for uid, members in self._series.items():
            if len({self._content(keyword, one) for one in members}) == 1:
                self._placed.series[uid].extend(self._slots(keyword, members[0]))
            else:
                for one in members:
                    slots = self._slots(keyword, one)
                    self._placed.instances[one.sop_instance_uid].extend(slots)

    def _content(self, keyword: str, instance: Instance) -> Hashable:
        markers = self._leaving[instance.sop_instance_uid]
        value: Hashable = getattr(markers, FIELDS[keyword])
        is_code = keyword == "DeidentificationMethodCodeSequence"
        return (value, markers.coding_schemes) if is_code else value

    def _slots(self, keyword: str, instance: Instance) -> list[JsonObject]:
        return attribute_slots(keyword, self._leaving[instance.sop_instance_uid], self._context)


def _verdict_slots(instances: Iterable[Instance]) -> list[JsonObject]:
    found = [verdict_of(one.markers) for one in instances]
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
