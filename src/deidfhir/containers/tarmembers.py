"""A tar file → its members, read from its beginning to its end, once."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, Any, Self

from deidfhir.containers.faults import DAMAGED, ContainerError
from deidfhir.containers.forward import Forward
from deidfhir.containers.limits import Limits
from deidfhir.containers.members import Member, Read
from deidfhir.containers.names import is_refused, shown

_ABOUT = (b"D", b"V")
"""Types of what GNU tar writes about a folder and about the tape: no members."""
_GNU = b"ustar  \0"
_PIECE = 64 << 10
_BETWEEN = 1 << 20
"""Bytes of headers before one member, and of headers that hold for all: names, times, rights."""


def members_of_tar(stream: IO[bytes], size: int, limits: Limits) -> Iterator[Member]:
    """Yield the members of a tar file, compressed by gzip or not, in their order.

    Args:
        stream: The file.
        size: Its bytes.
        limits: What it is refused beyond.

    Raises:
        ContainerError: `container-damaged` or `container-limit`.
        OSError: The file cannot be read.
    """
    forward = Forward(stream, size, limits)
    for number, info in enumerate(_infos(forward), start=1):
        limits.require_members(number)
        if not info.isdir() and info.type not in _ABOUT:
            yield _member(forward, info)
    if forward.last != bytes(tarfile.BLOCKSIZE):
        raise ContainerError(DAMAGED)  # without a mark of its end, nobody can tell that it is whole
    while data := forward.take(_PIECE):
        if data.strip(b"\0"):
            raise ContainerError(DAMAGED)  # what lies behind its end was not looked at


class _Info(tarfile.TarInfo):
    """A header; one that is none is no end of the file."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return what a header says.

        Raises:
            ContainerError: `container-damaged`.
        """
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # two of these are the end of the file
            damaged = ContainerError(DAMAGED)
        else:
            if buf[257:265] == _GNU:  # times stand where other forms have a part of the name
                found.name = bytes(buf[:100]).split(b"\0")[0].decode(encoding, errors)
            return found
        raise damaged


def _infos(forward: Forward) -> Iterator[tarfile.TarInfo]:
    try:
        forward.allow(_BETWEEN)
        file: Any = forward  # no more is asked of it than it has
        with tarfile.TarFile(
            fileobj=file, tarinfo=_Info, encoding="utf-8", errors="surrogateescape"
        ) as archive:
            while (info := archive.next()) is not None:
                vars(archive)["members"] = []  # else it would remember them all
                if info.size < 0:
                    raise ContainerError(DAMAGED)
                if sum(map(len, archive.pax_headers.values())) > _BETWEEN:
                    raise ContainerError("container-limit")
                yield info
                forward.allow(_BETWEEN)
    except (ContainerError, GeneratorExit):
        raise
    except OSError as error:
        if error.errno:
            raise
        damaged = ContainerError(DAMAGED)
    except Exception:  # noqa: BLE001 - tarfile raises whatever the broken bytes lead it to
        damaged = ContainerError(DAMAGED)
    else:
        return
    raise damaged


def _member(forward: Forward, info: tarfile.TarInfo) -> Member:
    refused = is_refused(info.name) or not info.isreg() or info.issparse()
    read = _bounded(forward, info.size)
    return Member(shown(info.name), info.size, read, "container-member-refused" if refused else "")


def _bounded(forward: Forward, size: int) -> Read:
    left = size

    def read(most: int) -> bytes:
        nonlocal left
        wanted = min(most, left)
        data = forward.take(wanted)
        if wanted and not data:
            raise ContainerError(DAMAGED)
        left -= len(data)
        return data

    return read
