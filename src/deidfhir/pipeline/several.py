"""A file that holds several objects → its objects: DICOM JSON, NDJSON of it, or a container."""

from __future__ import annotations

from pathlib import Path

from deidfhir.containers.limits import Limits
from deidfhir.dicom.dicomjson import read_json
from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.pipeline.jsonfiles import take_lines, take_objects
from deidfhir.pipeline.kinds import JSON, NDJSON
from deidfhir.pipeline.taking import FileRead, Taker


def take_file(kind: str, file: FileRead, size: int, limits: Limits, taker: Taker) -> None:
    """Take in the objects of a file.

    Args:
        kind: What `kind_of` says of it.
        file: The file.
        size: Its bytes.
        limits: What it is refused beyond.
        taker: Takes the objects.

    Raises:
        ObjectSkipped: It holds none.
        ContainerError: What follows in it cannot be read.
    """
    if kind == JSON:
        take_objects(read_json(Path(file.path)), taker, file)
        return
    try:
        with Path(file.path).open("rb") as stream:
            if kind == NDJSON:
                take_lines(stream.read, limits.held, taker, file)
            else:
                from deidfhir.pipeline.members import take_members  # noqa: PLC0415 - rarely needed

                take_members(stream, size, limits, taker, file)
    except OSError as error:
        raise ObjectSkipped("file-unreadable") from error
