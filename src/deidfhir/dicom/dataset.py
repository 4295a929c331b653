"""A pydicom data set → wanted elements."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName
from pydicom.values import convert_single_string, convert_text

from deidfhir.dicom.elements import (
    CHARSET_VRS,
    ITEM_TAGS,
    SINGLE_VRS,
    Content,
    Elements,
    Header,
    ObjectSkipped,
    require_depth,
    settled,
)
from deidfhir.dicom.evidence import FILE_META, PRIVATE_CREATORS, evidence_from
from deidfhir.dicom.quiet import quiet
from deidfhir.model.attributes import Attribute, attributes
from deidfhir.model.record import Evidence

_TEXTUAL = (str, int, float, Decimal, PersonName, date, time)


def elements_of(dataset: Dataset, within: str = "object", depth: int = 0) -> Elements:
    """Return the wanted elements of a data set.

    Args:
        dataset: A data set, read or made; only its root level is looked at, and the items of the
            sequences that the table names.
        within: Where the data set stands (`mappings/attributes.toml`).
        depth: In how many sequences it stands.

    Raises:
        ObjectSkipped: `damaged`, a wanted element cannot be decoded.
    """
    require_depth(depth)
    found: Elements = {}
    for tag, attribute in attributes(within).items():
        if tag not in dataset:
            continue
        content = _decodable(dataset, attribute, depth)
        if content is None:
            raise ObjectSkipped("damaged")
        found[attribute.keyword] = content
    return found


def _decodable(dataset: Dataset, attribute: Attribute, depth: int) -> Content | None:
    """Return the content of an element, or None if it cannot be decoded."""
    try:
        with quiet():
            return _content(dataset, attribute, depth)
    except ObjectSkipped:
        raise
    except Exception:  # noqa: BLE001 - pydicom raises whatever the broken bytes lead it to
        return None


def odd_in(dataset: Dataset) -> tuple[str, ...]:
    """Return the codes of what the encoding of the markers shows.

    Args:
        dataset: As read; elements that are decoded already show nothing.
    """
    for tag, attribute in attributes("object").items():
        if attribute.is_marker and tag in dataset:
            element: Any = dataset.get_item(tag)
            written = element.VR if isinstance(element, RawDataElement) else None
            if written is not None and written != attribute.vr:
                return ("marker-vr",)
    return ()


def evidence_of(dataset: Dataset) -> Evidence:
    """Return what may support the recognition of a tool.

    Args:
        dataset: As read or made, with or without File Meta.
    """
    creators = [_creator(dataset, tag) for tag in PRIVATE_CREATORS if tag in dataset]
    try:
        meta = elements_of(getattr(dataset, "file_meta", None) or Dataset(), FILE_META)
    except ObjectSkipped:
        meta = {}
    return evidence_from(meta, creators)


def _creator(dataset: Dataset, tag: int) -> str:
    value: object = dataset.get_item(tag).value
    if isinstance(value, bytes):
        return value.decode("iso8859-1")
    return value if isinstance(value, str) else ""


def header_of_dataset(dataset: Dataset) -> Header:
    """Return what was read of a data set.

    Args:
        dataset: As read or made; pixels are not looked at.

    Raises:
        ObjectSkipped: `damaged`.
    """
    odd = odd_in(dataset)  # before anything is decoded
    return Header(elements_of(dataset), evidence=evidence_of(dataset), odd=odd)


def _content(dataset: Dataset, attribute: Attribute, depth: int) -> Content:
    if attribute.vr == "SQ":
        if not attribute.items:
            return ()
        items = dataset[attribute.tag].value or ()
        return tuple(elements_of(item, attribute.items, depth + 1) for item in items)
    element: Any = dataset.get_item(attribute.tag)
    if element.VR == "SQ":
        raise ObjectSkipped("damaged")  # items must not pass for a text
    if isinstance(element, RawDataElement):
        raw = element.value or b""
        if raw.startswith(ITEM_TAGS):
            raise ObjectSkipped("damaged")
        return settled(_decoded(raw, attribute.vr, dataset))
    return settled(_plain(element.value))


def _decoded(raw: bytes, vr: str, dataset: Dataset) -> tuple[str, ...]:
    """Decode by the VR of the standard: writers state other VRs (UN, SH, DS), the bytes hold."""
    if vr not in CHARSET_VRS:
        text = raw.decode("iso8859-1").rstrip(" \0")
        return (text,) if vr in SINGLE_VRS else tuple(v.rstrip(" \0") for v in text.split("\\"))
    encodings: Any = dataset.original_character_set
    encodings = [encodings] if isinstance(encodings, str) else list(encodings)
    if vr in SINGLE_VRS:
        return (convert_single_string(raw, encodings).rstrip(" \0"),)
    values: Any = convert_text(raw, encodings)
    return _plain(values)


def _plain(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - pydicom's values are of any type
    if value is None:
        return ()
    if isinstance(value, (MultiValue, list, tuple)):
        return tuple(_text(one) for one in value)
    return (_text(value),)


def _text(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, bytes):
        if value.startswith(ITEM_TAGS):
            raise ObjectSkipped("damaged")
        value = value.decode("iso8859-1")
    if not isinstance(value, _TEXTUAL):
        raise ObjectSkipped("damaged")  # whatever it is, it is no value of a text
    return str(value).rstrip(" \0")
