"""From FHIR alone back to the markers of every instance: `reverse` (D4)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from deidfhir.dicom.writing import json_of, withheld
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import StatedStudy, read_back, states_anything
from deidfhir.model.record import Markers
from deidfhir.pipeline.foreign import identifiers_of
from deidfhir.pipeline.targets import open_server
from deidfhir.sync.reading import STUDIES_A_PAGE

_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Reversal:
    """What a reversal gave, beside the objects themselves.

    Args:
        studies: Studies that were read.
        objects: Instances whose markers were given back.
        silent: Instances of which the FHIR states nothing.
        withheld: Elements that are marked as withheld, and so left out.
        broken: Number of a line or resource, from 1 → the first place in it that is no FHIR, or a
            statement that is not in the form of the mapping.
    """

    studies: int = 0
    objects: int = 0
    silent: int = 0
    withheld: int = 0
    broken: dict[int, str] = field(default_factory=dict)

    def objects_of(self, resource: JsonObject | None, number: int) -> Iterator[dict[str, Any]]:
        """Yield the DICOM JSON object of every instance of which a resource states something.

        Args:
            resource: An ImagingStudy, or a Bundle that holds some; other resources give nothing.
            number: Of the line or resource.
        """

        def tell(place: str) -> None:
            self.broken.setdefault(number, place.removesuffix("."))

        if resource is None:
            tell("")
            return
        for study in read_back([resource], tell):
            self.studies += 1
            yield from self._objects(study)

    def _objects(self, study: StatedStudy) -> Iterator[dict[str, Any]]:
        for one in study.instances:
            if one.verdict is None and one.markers == Markers():
                self.silent += 1
                continue
            self.objects += 1
            self.withheld += withheld(one.markers)
            uids = (study.study_uid, one.series_uid, one.sop_instance_uid)
            yield json_of(uids, one.markers)


def reverse_lines(lines: Iterable[bytes], reversal: Reversal) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON objects of NDJSON, or of one JSON document over several lines.

    Args:
        lines: The lines, in UTF-8; what of them cannot be read back is noted and left out.
        reversal: Told what was found.
    """
    for number, text in _documents(lines):
        yield from reversal.objects_of(_parsed(text), number)


def _documents(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; one document over several lines is one."""
    every = ((number, line.strip()) for number, line in enumerate(lines, start=1))
    written: Iterator[tuple[int, bytes]] = (
        (number, line.removeprefix(_BOM)) for number, line in every if line not in (_BOM, b"")
    )
    first = next(written, None)
    if first is None:
        return
    if first[1].startswith(b"{") and _parsed(first[1]) is None:
        rest = list(written)
        whole = b"\n".join([first[1], *(line for _, line in rest)])
        if _parsed(whole) is not None:
            yield first[0], whole
            return
        written = iter(rest)
    yield first
    yield from written


def _parsed(text: bytes) -> JsonObject | None:
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def reverse_server(
    url: str, context: MappingContext, study_uid: str, timeout: float, reversal: Reversal
) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON objects of what a server's ImagingStudy resources state.

    Args:
        url: FHIR base URL.
        context: Tells the FHIR version.
        study_uid: Study Instance UID; empty for all studies.
        timeout: Seconds for one request with its repetitions.
        reversal: Told what was found.

    Raises:
        UsageError: `reverse-from`.
        RetriableError: The server is down or busy.
        FatalError: It is no FHIR server, or speaks another version.
    """
    server = open_server(url, context, timeout, "reverse-from")
    wanted = list(identifiers_of(study_uid)) if study_uid else []
    studies = enumerate(server.studies(wanted), start=1)
    while batch := list(islice(studies, STUDIES_A_PAGE)):
        # Those in which nothing is stated may be linked: then all stands on their Provenance.
        silent = [one["id"] for _, one in batch if not states_anything(one)]
        about = server.provenances_of(silent)
        for number, resource in batch:
            linked = about.get(resource["id"], ())
            yield from reversal.objects_of(_together(resource, linked), number)


def _together(study: JsonObject, provenances: tuple[JsonObject, ...]) -> JsonObject:
    if not provenances:
        return study
    entries = [{"resource": one} for one in (study, *provenances)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}
