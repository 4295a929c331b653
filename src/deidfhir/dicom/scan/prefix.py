"""A file → its header: read from as few bytes as will do, by pydicom where that does not."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from deidfhir.dicom.elements import Header
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.signs import OddError, ShortError

_STEPS = (8 << 10, 64 << 10, 1 << 20)
"""Bytes that are read at first, and when they are too few."""
_HOW = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""A pipe of which nobody was told must not hold up the run."""


class Opened(NamedTuple):
    """What a file begins with.

    Args:
        status: How it was when it was opened.
        head: Its first bytes; none of what is no file.
        header: Its header, or None where only pydicom can tell what it states.
    """

    status: os.stat_result
    head: bytes
    header: Header | None


def opened(path: str) -> Opened:
    """Return what a file begins with.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        ValueError: Its name is none.
    """
    descriptor = os.open(path, _HOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Opened(status, b"", None)
        data = _read(descriptor, _STEPS[0])
        return Opened(status, data, _header(descriptor, data))
    finally:
        os.close(descriptor)


def _header(descriptor: int, data: bytes) -> Header | None:
    for step in _STEPS:
        if len(data) < step:
            data += _read(descriptor, step - len(data))
        try:
            return header_of(data, whole=len(data) < step)
        except ShortError:
            continue
        except OddError:
            return None
    return None


def _read(descriptor: int, size: int) -> bytes:
    """Return the next bytes of a file: fewer only at its end, whatever one read gives."""
    data = os.read(descriptor, size)
    while 0 < len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data
