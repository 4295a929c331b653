"""DICOM JSON → XML, as Mirth's data type DICOM gives a message to its scripts.

dcm4che 2 writes `<attr tag="00100020" vr="LO" len="4">`; Mirth calls each element after its tag.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom import Dataset

Json = dict[str, Any]
_NAMES = ("Alphabetic", "Ideographic", "Phonetic")


def message_of(dataset: Dataset) -> str:
    """Return the message that a data set makes, with its File Meta."""
    meta = getattr(dataset, "file_meta", Dataset())
    return message_of_json(meta.to_json_dict() | dataset.to_json_dict())


def message_of_json(source: Json) -> str:
    """Return the message that an object in DICOM JSON makes."""
    return f"<dicom>{_elements(source)}</dicom>"


def _elements(source: Json) -> str:
    return "".join(_element(tag, one) for tag, one in sorted(source.items()))


def _element(tag: str, one: Json) -> str:
    values = one.get("Value", [])
    if one["vr"] == "SQ":
        items = "".join(
            f'<item off="{number * 100}" len="-1">{_elements(item)}</item>'
            for number, item in enumerate(values, start=1)
        )
        return f'<tag{tag} tag="{tag}" vr="SQ" len="-1">{items}</tag{tag}>'
    text = "\\".join(_text(value) for value in values)
    is_unnamed = int(tag[:4], 16) % 2 == 1 and tag[4:6] != "00"
    name, shown = ("attr", "?") if is_unnamed else (f"tag{tag}", tag)
    padded = text + " " * (len(text) % 2)  # padding is part of what is written
    form = f'tag="{shown}" vr={quoteattr(one["vr"])} len="{len(padded)}"'
    return f"<{name} {form}>{escape(padded)}</{name}>"


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return "=".join(value.get(name, "") for name in _NAMES).rstrip("=")
    return "" if value is None else str(value)
