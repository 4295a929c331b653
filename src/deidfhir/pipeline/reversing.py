"""From FHIR alone back to the markers of every instance: `reverse` (D4)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deidfhir.dicom.writing import json_of, withheld
from deidfhir.errors import UsageError
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import urn
from deidfhir.mapping.reverse import StatedStudy, read_back
from deidfhir.pipeline.targets import open_target
from deidfhir.sync.server import FhirServer
from deidfhir.tables import table


@dataclass(slots=True)
class Reversal:
    """What a reversal gave, beside the objects themselves.

    Args:
        studies: Studies that were read.
        objects: Instances whose markers were given back.
        silent: Instances of which the FHIR states nothing.
        withheld: Elements that are marked as withheld, and so left out.
        broken: Numbers of the lines, from 1, that hold no FHIR, or statements of no known form.
    """

    studies: int = 0
    objects: int = 0
    silent: int = 0
    withheld: int = 0
    broken: list[int] | None = None

    def objects_of(self, resource: JsonObject) -> Iterator[dict[str, Any]]:
        """Yield the DICOM JSON object of every instance of which a resource states something.

        Args:
            resource: An ImagingStudy, or a Bundle that holds some; other resources give nothing.
        """
        for study in read_back([resource]):
            self.studies += 1
            yield from self._objects(study)

    def _objects(self, study: StatedStudy) -> Iterator[dict[str, Any]]:
        for one in study.instances:
            if one.verdict is None:
                self.silent += 1
                continue
            self.objects += 1
            self.withheld += withheld(one.markers)
            uids = (study.study_uid, one.series_uid, one.sop_instance_uid)
            yield json_of(uids, one.markers)


def reverse_lines(lines: Iterable[str], reversal: Reversal) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON objects of NDJSON, or of one JSON document over several lines.

    Args:
        lines: The text, line by line; a line that holds no FHIR is noted and passed over.
        reversal: Told what was found.
    """
    reversal.broken = []
    read = iter(lines)
    for number, line in enumerate(read, start=1):
        text = line.lstrip("\ufeff").strip()
        if not text:
            continue
        resource = _parsed(text)
        if resource is None and number == 1:
            resource = _parsed(text + "\n" + "".join(read))
        yield from _stated(resource, number, reversal)


def _stated(
    resource: JsonObject | None, number: int, reversal: Reversal
) -> Iterator[dict[str, Any]]:
    """Yield the objects of one line; of a line whose form is not known, none at all."""
    before = (reversal.studies, reversal.objects, reversal.silent, reversal.withheld)
    try:
        if resource is None:
            raise ValueError
        found = list(reversal.objects_of(resource))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        # Someone else's extension may have any form.
        reversal.studies, reversal.objects, reversal.silent, reversal.withheld = before
        if reversal.broken is not None:
            reversal.broken.append(number)
        return
    yield from found


def _parsed(text: str) -> JsonObject | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "resourceType" in found else None


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
        UsageError: `reverse-from`, or `target-form`.
        RetriableError: The server is down or busy.
        FatalError: It is no FHIR server, or speaks another version.
    """
    server = open_target(url, context, timeout)
    if not isinstance(server, FhirServer):
        raise UsageError("reverse-from")
    reversal.broken = []
    system = table("urls.toml")["hl7"]["dicom_uid"]
    wanted = [f"{system}|{one}" for one in (urn(study_uid), study_uid)] if study_uid else []
    for number, resource in enumerate(server.studies(list(dict.fromkeys(wanted))), start=1):
        yield from _stated(resource, number, reversal)
