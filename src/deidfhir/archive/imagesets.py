"""Image set metadata of AWS HealthImaging → DICOM JSON, one object an instance.

Attributes are keyed by their keywords, and those that all instances share stand at the levels
Patient, Study and Series instead: an instance has what stands at it and at the levels above, the
nearest first. Only what `mappings/attributes.toml` names is taken over.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from deidfhir.archive.archive import DicomJson
from deidfhir.model.attributes import Attribute, attributes
from deidfhir.tables import table

MOST = 128 * 1024 * 1024
"""Bytes that the metadata of one image set may have, unpacked: some 15,000 instances."""

_LEVELS = ("Patient", "Study", "Series", "Instances", "DICOM")
_OBJECT = ("object", "file meta")  # as in Part 10, File Meta stands beside what it belongs to
_PERSON_NAME = ("Alphabetic", "Ideographic", "Phonetic")
_CREATOR = re.compile(r"001300[1-9A-Fa-f][0-9A-Fa-f]")
"""Private creators of the group that de-identifiers use: they tell tools apart."""

_DEEPEST = 16
_VRS = "DICOMVRs"
_GZIP = b"\x1f\x8b"


class Unreadable(Exception):  # noqa: N818 - a state of affairs: its instances are counted
    """An image set whose metadata is none, or too large."""


def unpacked(blob: bytes, most: int = MOST) -> Any:  # noqa: ANN401 - any JSON
    """Return what is read of a metadata blob: JSON that is compressed by gzip.

    Args:
        blob: As GetImageSetMetadata gives it.
        most: Bytes that it may have, unpacked.

    Raises:
        Unreadable: It is no JSON, cut short, or has more bytes.
    """
    try:
        text = _inflated(blob, most) if blob.startswith(_GZIP) else blob
        return json.loads(text, object_pairs_hook=_wanted)
    except (ValueError, RecursionError, zlib.error):
        pass  # what the library quotes is let go
    raise Unreadable


def _wanted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object without what is not read: most attributes, and what is told of frames."""
    known = _keywords()
    return {
        key: value
        for key, value in pairs
        # Tags begin with a digit; what is keyed by UIDs, whatever those are made of, is an object.
        if key in known or key[:1].isdigit() or (isinstance(value, dict) and key != _VRS)
    }


@cache
def _keywords() -> frozenset[str]:
    named = {row["keyword"] for row in table("attributes.toml")["attribute"]}
    return frozenset(named.union(_LEVELS))


def _inflated(blob: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    content = unpacking.decompress(blob, most + 1)
    if len(content) > most or not unpacking.eof:
        raise Unreadable
    return content


def instances_in(metadata: object) -> Iterator[tuple[str, DicomJson]]:
    """Yield each instance of an image set, with the key of its series.

    Args:
        metadata: The JSON of GetImageSetMetadata.

    Raises:
        Unreadable: It has not the form that is published.
    """
    study = _within(metadata, "Study")
    above = {**_stated(_within(metadata, "Patient")), **_stated(study)}
    for series_uid, series in _within(study, "Series").items():
        shared = {**above, **_stated(series)}
        for uid, instance in _within(series, "Instances").items():
            # The keys say which series and instance it is, should an attribute be missing.
            keys = {"SeriesInstanceUID": series_uid, "SOPInstanceUID": uid}
            yield series_uid, dicom_json({**keys, **shared, **_stated(instance)})


def study_of(metadata: object) -> str:
    """Return the Study Instance UID of an image set; empty if it has none.

    Raises:
        Unreadable: It has not the form that is published.
    """
    found = _stated(_within(metadata, "Study")).get("StudyInstanceUID")
    return found.strip(" \0") if isinstance(found, str) else ""


def _within(level: object, name: str) -> Mapping[str, Any]:
    """Return what stands below a level; what is absent is empty, what is no object an error."""
    if not isinstance(level, dict):
        raise Unreadable
    found = level.get(name)
    if found is None and name in ("Patient", "Series", "Instances"):
        return {}
    if not isinstance(found, dict):
        raise Unreadable
    return found


def _stated(level: object) -> Mapping[str, Any]:
    found = level.get("DICOM") if isinstance(level, dict) else False
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unreadable
    return found


def dicom_json(keyed: Mapping[str, Any], within: tuple[str, ...] = _OBJECT) -> DicomJson:
    """Return the DICOM JSON of attributes that are keyed by keyword (PS3.18 F.2).

    Args:
        keyed: Keyword, or tag where the service's dictionary has no keyword → value.
        within: Where they stand (`mappings/attributes.toml`).

    Raises:
        Unreadable: They are nested too deep.
    """
    return _dicom_json(keyed, within, 0)


def _dicom_json(keyed: Mapping[str, Any], within: tuple[str, ...], depth: int) -> DicomJson:
    if depth > _DEEPEST:
        raise Unreadable
    known = _known(within)
    found: DicomJson = {}
    for key, value in keyed.items():
        attribute = known.get(key) or known.get(key.upper())
        if attribute is not None:
            found[f"{attribute.tag:08X}"] = _element(value, attribute, depth)
        elif within == _OBJECT and _CREATOR.fullmatch(key):
            found[key.upper()] = {"vr": "LO", "Value": _listed(value)}
    return found


@cache
def _known(within: tuple[str, ...]) -> Mapping[str, Attribute]:
    rows = [one for place in within for one in attributes(place).values()]
    return {key: one for one in rows for key in (one.keyword, f"{one.tag:08X}")}


def _element(value: object, attribute: Attribute, depth: int) -> dict[str, Any]:
    values = _listed(value)
    if not values:
        return {"vr": attribute.vr}
    if attribute.vr == "SQ":
        # Whatever is no item stays as it is: reading says that it is damaged.
        below = (attribute.items,) if attribute.items else ()
        values = [
            _dicom_json(one, below, depth + 1) if isinstance(one, dict) else one for one in values
        ]
    elif attribute.vr == "PN":
        values = [_person(one) for one in values]
    return {"vr": attribute.vr, "Value": values}


def _listed(value: object) -> list[Any]:
    """Return the values: null is present and empty, and what is no list is one value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _person(name: object) -> object:
    """Return a Person Name with its representations apart (PS3.5 6.2.1, PS3.18 F.2.2)."""
    if not isinstance(name, str):
        return name
    return {key: part for key, part in zip(_PERSON_NAME, name.split("="), strict=False) if part}
