"""DICOM JSON (PS3.18 F.2) → wanted elements, one dictionary an object."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from deidfhir.dicom.elements import (
    Content,
    Elements,
    Header,
    ObjectSkipped,
    require_depth,
    settled,
)
from deidfhir.dicom.evidence import FILE_META, PRIVATE_CREATORS, evidence_from
from deidfhir.model.attributes import Attribute, attributes
from deidfhir.model.record import Evidence

_PERSON_NAME = ("Alphabetic", "Ideographic", "Phonetic")
_GREATEST = 10**18  # of whole numbers: no VR holds a longer one, and Python may refuse to print it
_KEYS = 8192  # that are remembered: objects have mostly the same ones
_TAG = re.compile(r"[0-9A-Fa-f]{8}")


def read_json(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON objects of a file that holds one or an array of them.

    Args:
        path: The file, UTF-8.

    Raises:
        ObjectSkipped: `file-unreadable` or `not-dicom-json`.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ObjectSkipped("file-unreadable") from error
    yield from objects_in(text)


def objects_in(text: bytes) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON objects of a text that is one or an array of them.

    Args:
        text: UTF-8.

    Raises:
        ObjectSkipped: `not-dicom-json`.
    """
    content = _parsed(text)
    objects: list[Any] = content if isinstance(content, list) else [content]
    if not objects or not all(_is_object(one) for one in objects):
        raise ObjectSkipped("not-dicom-json")
    yield from objects


def object_in(line: bytes) -> dict[str, Any] | None:
    """Return the DICOM JSON object of a line of NDJSON, or None for a FHIR resource.

    Args:
        line: UTF-8.

    Raises:
        ObjectSkipped: `not-dicom-json`.
    """
    content = _parsed(line)
    if isinstance(content, dict) and isinstance(content.get("resourceType"), str):
        return None
    if not _is_object(content):
        raise ObjectSkipped("not-dicom-json")
    found: dict[str, Any] = content  # type: ignore[assignment]
    return found


def _parsed(text: bytes) -> object:
    """Return the JSON of a text, or None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_object(candidate: object) -> bool:
    """Whether it is keyed by tags of eight hexadecimal digits, as PS3.18 F.2.2 wants."""
    if not isinstance(candidate, dict) or not candidate:
        return False
    return all(
        isinstance(key, str) and len(key) == 8 and isinstance(value, dict)
        for key, value in candidate.items()
    ) and any(_tag(key) is not None for key in candidate)


@lru_cache(_KEYS)
def _tag(key: str) -> int | None:
    return int(key, 16) if _TAG.fullmatch(key) else None


def header_of_json(source: dict[str, Any]) -> Header:
    """Return what was read of one DICOM JSON object.

    Args:
        source: Tag → `{"vr": …, "Value": […]}`.

    Raises:
        ObjectSkipped: `damaged` or `not-dicom-json`.
    """
    elements = elements_of_json(source)  # tells what is no DICOM JSON at all
    return Header(elements, evidence=evidence_of_json(source), odd=odd_in_json(source))


def elements_of_json(source: dict[str, Any], within: str = "object", depth: int = 0) -> Elements:
    """Return the wanted elements of one DICOM JSON object or item.

    Args:
        source: Tag → `{"vr": …, "Value": […]}`.
        within: Where it stands (`mappings/attributes.toml`).
        depth: In how many sequences it stands.

    Raises:
        ObjectSkipped: `damaged`, a wanted element has a form that PS3.18 F.2 does not know.
    """
    require_depth(depth)
    if not isinstance(source, dict) or not all(isinstance(key, str) for key in source):
        raise ObjectSkipped("not-dicom-json")
    wanted = attributes(within)
    found: Elements = {}
    for key in sorted(source):
        attribute = wanted.get(_tag(key) or -1)
        if attribute is None:
            continue
        element = source[key]
        if not isinstance(element, dict):
            raise ObjectSkipped("damaged")
        found[attribute.keyword] = _content(element, attribute, depth)
    return found


def evidence_of_json(source: dict[str, Any]) -> Evidence:
    """Return what may support the recognition of a tool.

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


def odd_in_json(source: dict[str, Any]) -> tuple[str, ...]:
    """Return the codes of what the form of the markers shows.

    Args:
        source: Tag → `{"vr": …, "Value": […]}`.
    """
    found = set()
    wanted = attributes("object")
    for key, element in source.items():
        attribute = wanted.get(_tag(key) or -1)
        if attribute is None or not attribute.is_marker or not isinstance(element, dict):
            continue
        if "BulkDataURI" in element:
            found.add("marker-in-bulk")
        if element.get("vr") not in (None, attribute.vr):
            found.add("marker-vr")
        value = element.get("Value")
        if any(isinstance(one, str) and "\\" in one for one in _listed(value)):
            found.add("values-in-one-string")
    return tuple(sorted(found))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _content(element: dict[str, Any], attribute: Attribute, depth: int) -> Content:
    value = element.get("Value")
    if attribute.vr == "SQ":
        if attribute.items and "InlineBinary" in element:
            raise ObjectSkipped("damaged")  # items that are not decoded must not look like none
        if not attribute.items or value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ObjectSkipped("damaged")
        return tuple(elements_of_json(item, attribute.items, depth + 1) for item in value)
    if value is None and "InlineBinary" in element:
        value = [_inline(element["InlineBinary"])]
    if value is None:
        return ()
    texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
    if attribute.vr not in ("ST", "LT", "UT", "UR"):
        # The backslash separates values (PS3.5 6.2): some writers leave it inside one string.
        texts = [part for text in texts for part in text.split("\\")]
    return settled(tuple(text.rstrip(" \0") for text in texts))


def _inline(encoded: object) -> str:
    raw = _unpacked(str(encoded))
    if raw is None:
        raise ObjectSkipped("damaged")
    try:
        return raw.decode("utf-8")  # DICOM JSON is UTF-8 (PS3.18 F.2)
    except UnicodeDecodeError:
        return raw.decode("iso8859-1")


def _unpacked(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):  # a Person Name: its representations joined as in PS3.5 6.2.1
        if not value.keys() <= set(_PERSON_NAME):
            raise ObjectSkipped("damaged")
        return "=".join(str(value.get(name) or "") for name in _PERSON_NAME).rstrip("=")
    if isinstance(value, (str, float)):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _GREATEST:
        return str(value)
    raise ObjectSkipped("damaged")
