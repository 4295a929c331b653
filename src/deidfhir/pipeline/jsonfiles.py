"""DICOM JSON and NDJSON of it → objects, each told by its number or its line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deidfhir.containers.lines import lines_of
from deidfhir.containers.members import Read
from deidfhir.dicom.dicomjson import header_of_json, object_in
from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.pipeline.taking import FileRead, Taker


def take_objects(objects: Iterable[dict[str, Any]], taker: Taker, file: FileRead) -> None:
    """Take in the objects of a DICOM JSON file.

    Args:
        objects: In their order.
        taker: Takes them.
        file: The file.
    """
    for number, one in enumerate(objects, start=1):
        try:
            taker.take(header_of_json(one), file)
        except ObjectSkipped as skip:
            taker.skip(skip.code, f"{file.path}#{number}", file.within)


def take_lines(read: Read, longest: int, taker: Taker, file: FileRead) -> None:
    """Take in the objects of NDJSON, line by line; what begins with a FHIR resource is foreign.

    Args:
        read: Gives its next bytes.
        longest: Bytes that a line may have.
        taker: Takes the objects.
        file: The file.

    Raises:
        ObjectSkipped: `file-empty`.
    """
    is_first = True
    for number, line in enumerate(lines_of(read, longest), start=1):
        if line is not None and not line.strip():
            continue
        try:
            found = _object(line)
            if found is None and is_first:
                taker.pass_over(file.path, doubtful=False, within=file.within)
                return
            if found is None:
                raise ObjectSkipped("not-dicom-json")
            taker.take(header_of_json(found), file)
        except ObjectSkipped as skip:
            taker.skip(skip.code, f"{file.path}#{number}", file.within)
        is_first = False
    if is_first:
        raise ObjectSkipped("file-empty")


def _object(line: bytes | None) -> dict[str, Any] | None:
    """Return the object of a line; None for a FHIR resource.

    Raises:
        ObjectSkipped: `object-too-large` or `not-dicom-json`.
    """
    if line is None:
        raise ObjectSkipped("object-too-large")
    return object_in(line)
