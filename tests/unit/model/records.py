"""Builders of records for the tests: an instance, its markers, items by keyword."""

from __future__ import annotations

from typing import Any, Final

from pydicom.datadict import tag_for_keyword

from deidfhir.model.record import MASKED, Facts, Instance, Item, Items, Markers, Masked
from deidfhir.model.study import Study, StudyFold

STUDY: Final = "1.2.826.7"
CT: Final = "1.2.840.10008.5.1.4.1.1.2"

MEANINGS: Final = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113112": "Retain Institution Identity Option",
    "109104": "De-identifying Equipment",
}


def item(**elements: str | tuple[str, ...] | Items | Masked) -> Item:
    """Make an item of elements by keyword, in tag order; a string stands for one value."""
    pairs = [
        (keyword, (content,) if isinstance(content, str) else content)
        for keyword, content in elements.items()
    ]
    return Item(tuple(sorted(pairs, key=lambda pair: tag_for_keyword(pair[0]) or 0)))


def dcm(value: str) -> Item:
    """Make a code item of scheme DCM with its standard meaning."""
    return item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=MEANINGS[value])


def dcms(*values: str) -> Items:
    """Make code items of scheme DCM."""
    return tuple(dcm(value) for value in values)


def equipment(**elements: str | tuple[str, ...] | Items | Masked) -> Item:
    """Make an equipment item of purpose 109104."""
    return item(**{"PurposeOfReferenceCodeSequence": dcms("109104"), **elements})


def removed(**fields: Any) -> Markers:  # noqa: ANN401 - whatever Markers takes
    """Make markers that say YES."""
    return Markers(**{"patient_identity_removed": ("YES",), **fields})


def instance(
    number: int = 1,
    markers: Markers | None = None,
    *,
    series: int = 1,
    **facts: Any,  # noqa: ANN401 - whatever Facts takes
) -> Instance:
    """Make an instance of the study `STUDY`; without markers it says YES and no more."""
    usual: dict[str, Any] = {
        "study_uid": STUDY,
        "series_uid": f"{STUDY}.{series}",
        "sop_instance_uid": f"{STUDY}.{series}.{number}",
        "markers": removed() if markers is None else markers,
        "path": f"{series}-{number}.dcm",
        "sop_class_uid": CT,
        "modality": "CT",
    }
    given = usual | facts
    own = {
        one: given.pop(one)
        for one in ("sop_instance_uid", "instance_number", "path")
        if one in given
    }
    return Instance(Facts(**given), **own)


def study(*instances: Instance) -> Study:
    """Fold instances into their one study."""
    fold = StudyFold()
    for one in instances:
        fold.add(one)
    (folded,) = fold
    return folded


__all__ = [
    "CT",
    "MASKED",
    "MEANINGS",
    "STUDY",
    "dcm",
    "dcms",
    "equipment",
    "instance",
    "item",
    "removed",
    "study",
]
