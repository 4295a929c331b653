"""What may support the recognition of a tool: File Meta and the private creators of group 0013.

It proves nothing and never leaves; whatever is odd in it is passed over (D16).
"""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from deidfhir.dicom.dataset import elements_of
from deidfhir.dicom.dicomjson import elements_of_json
from deidfhir.dicom.elements import Elements, ObjectSkipped
from deidfhir.model.record import Evidence, trimmed

FILE_META = "file meta"
# PS3.5 7.8.1: (gggg,0010-00FF) hold the creators. De-identifiers use group 0013, its first blocks.
PRIVATE_CREATORS = tuple(0x00130000 + block for block in range(0x10, 0x20))


def evidence_of(dataset: Dataset) -> Evidence:
    """Return what a pydicom data set holds of it.

    Args:
        dataset: As read or made, with or without File Meta.
    """
    creators = [_creator(dataset, tag) for tag in PRIVATE_CREATORS if tag in dataset]
    try:
        meta = elements_of(getattr(dataset, "file_meta", None) or Dataset(), FILE_META)
    except ObjectSkipped:
        meta = {}
    return evidence_from(meta, creators)


def evidence_of_json(source: dict[str, Any]) -> Evidence:
    """Return what a DICOM JSON object holds of it.

    Args:
        source: Tag → `{"vr": …, "Value": […]}`.
    """
    creators = []
    for tag in PRIVATE_CREATORS:
        element = source.get(f"{tag:08X}")
        values = element.get("Value") if isinstance(element, dict) else None
        creators += [one for one in (values if isinstance(values, list) else ()) if one]
    try:
        meta = elements_of_json(source, FILE_META)
    except ObjectSkipped:
        meta = {}
    return evidence_from(meta, [one for one in creators if isinstance(one, str)])


def evidence_from(meta: Elements, creators: list[str]) -> Evidence:
    """Return the evidence of what was read of File Meta and of private creators.

    Args:
        meta: The wanted elements of File Meta.
        creators: The private creators of group 0013.
    """

    def first(keyword: str) -> str:
        values = [one for one in meta.get(keyword, ()) if isinstance(one, str)]
        return trimmed(values[0]) if values else ""

    return Evidence(
        implementation_class_uid=first("ImplementationClassUID"),
        implementation_version_name=first("ImplementationVersionName"),
        source_application_entity_title=first("SourceApplicationEntityTitle"),
        private_creators=tuple(sorted({trimmed(one) for one in creators} - {""})),
    )


def _creator(dataset: Dataset, tag: int) -> str:
    value: object = dataset.get_item(tag).value
    if isinstance(value, bytes):
        return value.decode("iso8859-1")
    return value if isinstance(value, str) else ""
