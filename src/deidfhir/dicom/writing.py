"""An instance's markers → DICOM JSON (PS3.18 F.2), value by value as they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset

from deidfhir.dicom.quiet import quiet
from deidfhir.model.attributes import Attribute, attributes, by_keyword
from deidfhir.model.record import Item, Items, Markers, Masked, Values

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_PERSON_NAME = ("Alphabetic", "Ideographic", "Phonetic")
_FIELDS = {
    "PatientIdentityRemoved": "patient_identity_removed",
    "DeidentificationMethod": "method",
    "DeidentificationMethodCodeSequence": "method_code",
    "BurnedInAnnotation": "burned_in_annotation",
    "RecognizableVisualFeatures": "recognizable_visual_features",
    "LongitudinalTemporalInformationModified": "longitudinal_temporal_information_modified",
}


def json_of(uids: tuple[str, str, str], markers: Markers) -> dict[str, Any]:
    """Return one object: its UIDs and its markers; what is withheld is left out.

    Args:
        uids: Study, Series and SOP Instance UID; an empty one is left out.
        markers: The markers; `None` is absent, `()` present and empty.
    """
    table = by_keyword("object")
    found: dict[int, dict[str, Any]] = {
        table[keyword].tag: {"vr": "UI", "Value": [uid]}
        for keyword, uid in zip(_UIDS, uids, strict=True)
        if uid
    }
    for keyword, name in _FIELDS.items():
        content = getattr(markers, name)
        if content is None or isinstance(content, Masked):
            continue
        kept = tuple(one for one in content if not isinstance(one, Masked))
        if kept or not content:  # an element of which all is withheld is no empty one
            found[table[keyword].tag] = _element(table[keyword], kept)
    if markers.equipment:
        attribute = table["ContributingEquipmentSequence"]
        found[attribute.tag] = _element(attribute, markers.equipment)
    return {f"{tag:08X}": found[tag] for tag in sorted(found)}


def dataset_of(source: dict[str, Any]) -> Dataset | None:
    """Return one DICOM JSON object as a data set, or None if pydicom cannot hold it.

    Args:
        source: As `json_of` gives it.
    """
    with quiet():
        try:
            return Dataset.from_json(source)
        except Exception:  # noqa: BLE001 - what it raises quotes values
            return None


def withheld(markers: Markers) -> int:
    """Return how many elements of the markers are marked as withheld."""
    contents = [getattr(markers, name) for name in _FIELDS.values()]
    items = (*markers.equipment, *_items(markers.method_code))
    texts = sum(isinstance(one, Masked) for one in (*contents, *(markers.method or ())))
    return texts + sum(_withheld(one) for one in items)


def _withheld(item: Item) -> int:
    return sum(
        1 if isinstance(content, Masked) else sum(_withheld(one) for one in _items(content))
        for _, content in item.elements
    )


def _items(content: object) -> Iterator[Item]:
    return (
        (one for one in content if isinstance(one, Item))
        if isinstance(content, tuple)
        else iter(())
    )


def _element(attribute: Attribute, content: Values | Items) -> dict[str, Any]:
    if not content:
        return {"vr": attribute.vr}
    return {"vr": attribute.vr, "Value": [_value(attribute, one) for one in content]}


def _value(attribute: Attribute, one: str | Item) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(one, Item):
        return _item(one, attribute.items)
    if not one:
        return None  # PS3.18 F.2.5: a value that is empty
    if attribute.vr == "PN":
        return {
            name: part for name, part in zip(_PERSON_NAME, one.split("="), strict=False) if part
        }
    return one


def _item(item: Item, within: str) -> dict[str, Any]:
    table = {one.keyword: one for one in attributes(within).values()}
    return {
        f"{table[keyword].tag:08X}": _element(table[keyword], content)
        for keyword, content in sorted(item.elements, key=lambda pair: table[pair[0]].tag)
        if not isinstance(content, Masked)
    }
