"""A file → its header: read from as few bytes as will do, by pydicom where that does not."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from deidfhir.dicom.elements import Header
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.signs import OddError, ShortError

Read = Callable[[int], bytes]
"""Gives the next bytes of a file, at most so many as are asked for; none at the end."""

_FIRST, _MORE = 8 << 10, (64 << 10, 1 << 20)
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
        data = os.read(descriptor, _FIRST)
        if len(data) < _FIRST and (more := os.read(descriptor, _FIRST - len(data))):
            data = _all(partial(os.read, descriptor), data + more, _FIRST)
        try:
            return Opened(status, data, header_of(data, whole=len(data) < _FIRST))
        except OddError:
            return Opened(status, data, None)
        except ShortError:
            return Opened(status, data, _from_more(partial(os.read, descriptor), data)[1])
    finally:
        os.close(descriptor)


def scanned(content: bytes, most: int = _MORE[-1]) -> Header | None:
    """Return the header of an object whose bytes are there, or None where only pydicom can tell.

    Args:
        content: All bytes that a file of it would hold.
        most: How many of them are looked at; by default as many as of a file.
    """
    for step in (one for one in (_FIRST, *_MORE) if one <= most):
        data = content[:step]
        try:
            return header_of(data, whole=len(data) < step)
        except ShortError:
            continue
        except OddError:
            return None
    return None


def begun(read: Read) -> tuple[bytes, Header | None]:
    """Return what was read of a stream, and its header or None where only pydicom can tell.

    Args:
        read: Gives its next bytes.
    """
    data = _all(read, b"", _FIRST)
    try:
        return data, header_of(data, whole=len(data) < _FIRST)
    except OddError:
        return data, None
    except ShortError:
        return _from_more(read, data)


def _from_more(read: Read, data: bytes) -> tuple[bytes, Header | None]:
    """Return what was read of a file whose first bytes do not hold its header, and that."""
    for step in _MORE:
        data = _all(read, data, step)
        try:
            return data, header_of(data, whole=len(data) < step)
        except ShortError:
            continue
        except OddError:
            break
    return data, None


def _all(read: Read, data: bytes, size: int) -> bytes:
    """Return the first bytes of a file: fewer only if there are no more, whatever one read gives.

    Args:
        read: Gives those after them.
        data: Those that were read.
        size: How many there shall be.
    """
    while len(data) < size and (more := read(size - len(data))):
        data += more
    return data
