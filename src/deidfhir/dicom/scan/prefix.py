"""A file → its header: read from as few bytes as will do, by pydicom where that does not."""

from __future__ import annotations

import os
from pathlib import Path

from deidfhir.dicom.elements import Header
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.signs import OddError, ShortError

_STEPS = (8 << 10, 64 << 10, 1 << 20)
"""Bytes that are read at first, and when they are too few."""


def _read(descriptor: int, size: int) -> bytes:
    """Return the next bytes of a file: fewer only at its end, whatever one read gives."""
    data = b""
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def scanned(path: Path) -> Header | None:
    """Return the header of a file, or None where only pydicom can tell what it states.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = b""
        for step in _STEPS:
            data += _read(descriptor, step - len(data))
            try:
                return header_of(data, whole=len(data) < step)
            except ShortError:
                continue
            except OddError:
                return None
        return None
    finally:
        os.close(descriptor)
