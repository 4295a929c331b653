"""What needs no thread: one object with a small header, and the next of a series.

Whoever sends the objects of a series one by one sends the same header again and again, but for UID
and number. What was made of one serves for those that follow, as in a run one object of facts
serves a whole series.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, NamedTuple

from deidfhir.dicom.dicomjson import header_of_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.reader import Reader
from deidfhir.dicom.scan.prefix import scanned
from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.bundles import bundle_of
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.multipart import Part, parts_of
from deidfhir.gateway.objects import DICOM, DICOM_JSON, FIRST, RELATED
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.repeating import instance_like, is_plain
from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Instance, Item
from deidfhir.model.study import study_of
from deidfhir.web.numbers import Text, line_of

_SMALL = 64 << 10
"""Bytes that hold up others no longer than handing them to a thread would."""
_LIGHT = 400
"""Values in the markers of one object that are quickly mapped; real ones have some dozens."""
_SERIES, _BYTES = 1024, 64 << 20
"""Of so many series the last object is remembered, as long as their Bundles are no larger."""
_HOLE = "\0"  # stands in no JSON


class _Made(NamedTuple):
    """The Bundle of one object, with a hole where its instance stands."""

    facts: Facts
    codes: tuple[str, ...]
    before: bytes
    after: bytes
    element: JsonObject


class AtOnce:
    """Maps one object without a thread, if that is quick for sure.

    Args:
        context: The mapping's; its policy is the gate's.
    """

    def __init__(self, context: MappingContext) -> None:
        self._context = context
        self._reader = Reader(_SERIES)
        self._made: dict[int, _Made] = {}
        self._size = 0

    def line(self, body: bytes, form: MediaType) -> bytes | None:
        """Return the Bundle of a body that holds one object, or None where it may take longer.

        Args:
            body: The body.
            form: Its media type.

        Raises:
            Refused: The study may not be mapped, or the body is broken.
        """
        part = _only_part(body, form) if form.name == RELATED else Part(form, body)
        try:
            header = _header(part.content, part.form.name) if part else None
            if header is None:
                return None
            instance, codes = self._reader.read(header, FIRST)
        except ObjectSkipped:
            return None  # what is wrong is told by the way of all others
        made = self._made.get(id(instance.facts))
        if made is not None and made.codes == codes and is_plain(instance):
            element = instance_like(made.element, instance, self._context)
            return b"".join((made.before, line_of(element).encode(), made.after))
        return self._mapped(instance, codes) if _weight(instance) <= _LIGHT else None

    def _mapped(self, instance: Instance, codes: tuple[str, ...]) -> bytes:
        found = [Finding(code, FIRST) for code in codes]
        bundle = bundle_of([study_of(instance.study_uid, [instance], found)], self._context)
        if is_plain(instance):
            self._keep(instance, codes, bundle)
        return line_of(bundle).encode()

    def _keep(self, instance: Instance, codes: tuple[str, ...], bundle: JsonObject) -> None:
        series = _series_in(bundle)
        (element,) = series["instance"]
        if "extension" in element:
            return
        series["instance"] = [Text(_HOLE)]
        before, _, after = line_of(bundle).encode().partition(_HOLE.encode())
        series["instance"] = [element]
        self._size += len(before) + len(after)
        if len(self._made) >= _SERIES or self._size > _BYTES:
            self._made.clear()
            self._size = len(before) + len(after)
        self._made[id(instance.facts)] = _Made(instance.facts, codes, before, after, element)


def _weight(instance: Instance) -> int:
    """Return how many values its markers have."""
    markers = instance.markers
    items = (*(markers.method_code or ()), *markers.equipment)
    return len(markers.method or ()) + sum(map(_weight_of, items))


def _weight_of(item: Item) -> int:
    total = 1
    for _, content in item.elements:
        for one in content if isinstance(content, tuple) else ():
            total += _weight_of(one) if isinstance(one, Item) else 1
    return total


def _series_in(bundle: JsonObject) -> dict[str, Any]:
    resources = [one["resource"] for one in bundle["entry"]]
    (study,) = [one for one in resources if one["resourceType"] == "ImagingStudy"]
    found: dict[str, Any] = study["series"][0]
    return found


def _only_part(body: bytes, form: MediaType) -> Part | None:
    parts = list(islice(parts_of(body, form, 2), 2))
    return parts[0] if len(parts) == 1 else None


def _header(body: bytes, form: str) -> Header | None:
    if form == DICOM:
        return scanned(body, _SMALL)
    if form != DICOM_JSON or len(body) > _SMALL:
        return None
    try:
        source = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(source, list) and len(source) == 1:
        (source,) = source
    return header_of_json(source) if isinstance(source, dict) else None
