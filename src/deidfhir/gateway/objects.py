"""The body of a request → the studies of the objects in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deidfhir.dicom.dicomjson import header_of_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import header_of_bytes
from deidfhir.dicom.reader import Reader
from deidfhir.gateway.answers import Refused, refused
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.multipart import Part, parts_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.study import StudyFold

DICOM, DICOM_JSON = "application/dicom", "application/dicom+json"
RELATED = "multipart/related"
OBJECTS = (DICOM, DICOM_JSON, RELATED)
"""Media types of bodies that hold objects."""

FIRST = "#1"
"""What the first object of a request is called."""


def read_body(body: bytes, form: MediaType, most: int) -> list[Part]:
    """Return the parts of a body that holds objects.

    Args:
        body: The body.
        form: Its media type, one of `OBJECTS`.
        most: How many parts there may be.

    Raises:
        Refused: `multipart-broken`, `parts-too-many` or `body-empty`.
    """
    parts = list(parts_of(body, form, most)) if form.name == RELATED else [Part(form, body)]
    if not parts:
        raise refused("body-empty")
    return parts


def instances_of(parts: list[Part], most: int) -> tuple[StudyFold, list[Instance]]:
    """Return what the objects of some parts state, by study and in the order given.

    An object is named by its number in the request, from 1, as `#1`.

    Args:
        parts: As `read_body` gives them.
        most: How many objects there may be.

    Raises:
        Refused: `content-not-supported` or `body-empty`; or an object cannot be used: its number
            and the reason; nothing of the rest is.
    """
    if any(one.form.name not in (DICOM, DICOM_JSON) for one in parts):
        raise refused("content-not-supported")
    fold, found, reader = StudyFold(), [], Reader()
    wrong: list[Finding] = []
    for number, source in enumerate(_sources(parts), start=1):
        if number > most:
            raise refused("parts-too-many")
        name = f"#{number}"
        try:
            instance, codes = reader.read(_header(source), name)
        except ObjectSkipped as skip:
            wrong.append(Finding(skip.code, name))
            continue
        fold.add(instance, [Finding(code, name) for code in codes])
        found.append(instance)
    if wrong:
        raise Refused(*wrong)
    if not found:
        raise refused("body-empty")
    return fold, found


def _header(source: bytes | dict[str, Any]) -> Header:
    if isinstance(source, dict):
        return header_of_json(source)
    if not source:
        raise ObjectSkipped("file-empty")
    return header_of_bytes(source)


def _sources(parts: list[Part]) -> Iterator[bytes | dict[str, Any]]:
    for one in parts:
        if one.form.name == DICOM:
            yield one.content
        else:
            yield from _objects(one.content)


def _objects(content: bytes) -> list[dict[str, Any]]:
    """Return the DICOM JSON objects of a part: one, or an array of them (PS3.18 F.2)."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    objects = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(one, dict) for one in objects):
        raise refused("request-broken")
    return objects
