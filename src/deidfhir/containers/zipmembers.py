"""A zip file → its members, each unpacked only as far as it is read."""

from __future__ import annotations

import stat
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import IO

from deidfhir.containers.faults import DAMAGED, ContainerError, MemberError
from deidfhir.containers.inflating import RAW, Inflated
from deidfhir.containers.limits import Budget, Limits
from deidfhir.containers.members import Member, Read, nothing
from deidfhir.containers.names import is_refused, shown
from deidfhir.containers.zipdirectory import Directory, Entry, directory_of, entries_of

_LOCAL, _LOCAL_MARK = struct.Struct("<4sHHHHHIIIHH"), b"PK\3\4"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_FOLLOW, _STRONGLY, _UTF8, _MASKED = 1, 1 << 3, 1 << 6, 1 << 11, 1 << 13
_UNKNOWN = (0, 0xFFFFFFFF)
"""Sizes of a local header that say nothing: they stand behind the member, or in a Zip64 field."""


def members_of_zip(stream: IO[bytes], size: int, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip file, in the order of its directory.

    What the directory claims is held against the limits before anything is unpacked.

    Args:
        stream: The file.
        size: Its bytes.
        limits: What it is refused beyond.

    Raises:
        ContainerError: `container-damaged` or `container-limit`.
    """
    directory = directory_of(stream, size)
    begins, budget = _begins(stream, directory, limits), Budget(limits, size)
    for entry in entries_of(stream, directory):
        name = _name(entry)
        if name.endswith("/"):
            continue
        following = begins[min(bisect_right(begins, entry.offset), len(begins) - 1)]
        yield _member(stream, entry, name, following, budget)


def _begins(stream: IO[bytes], directory: Directory, limits: Limits) -> array[int]:
    """Return where members begin, sorted, with the end of the last.

    Raises:
        ContainerError: `container-damaged`, also where two begin at one place; `container-limit`.
    """
    limits.require_members(directory.count)
    begins, unpacked = array("Q"), 0
    for entry in entries_of(stream, directory):
        if entry.offset + _LOCAL.size + len(entry.name) + entry.packed > directory.begin:
            raise ContainerError(DAMAGED)
        begins.append(entry.offset)
        unpacked += entry.size
    limits.require_size(unpacked)
    begins = array("Q", sorted(begins))
    if any(one == other for one, other in pairwise(begins)):
        raise ContainerError(DAMAGED)
    begins.append(directory.begin)
    return begins


def _name(entry: Entry) -> str:
    """Return a name: UTF-8 also where that is not said, else the code page of the first zips."""
    try:
        return entry.name.decode("utf-8")
    except UnicodeDecodeError:
        return entry.name.decode("utf-8" if entry.flags & _UTF8 else "cp437", "surrogateescape")


def _member(stream: IO[bytes], entry: Entry, name: str, following: int, budget: Budget) -> Member:
    trouble, kind = "", stat.S_IFMT(entry.mode)
    if is_refused(name) or kind not in (0, stat.S_IFREG):
        trouble = "container-member-refused"
    elif entry.flags & (_ENCRYPTED | _STRONGLY | _MASKED):
        trouble = "container-encrypted"
    elif entry.method not in (_STORED, _DEFLATED):
        trouble = "container-method"
    if trouble:
        return Member(shown(name), entry.size, nothing, trouble)
    try:
        begin = _data_of(stream, entry, following)
    except MemberError as error:
        return Member(shown(name), entry.size, nothing, error.code)
    return Member(shown(name), entry.size, _Unpacked(stream, entry, begin, budget).read)


def _data_of(stream: IO[bytes], entry: Entry, following: int) -> int:
    """Return where the bytes of a member begin.

    Args:
        stream: The file.
        entry: What the directory says.
        following: Where the next member begins, wherever the directory names that.

    Raises:
        ContainerError: `container-damaged`: it lies over another one.
        MemberError: `container-damaged`: its own header says something else.
    """
    stream.seek(entry.offset)
    head = stream.read(_LOCAL.size)
    if len(head) < _LOCAL.size:
        raise MemberError(DAMAGED)
    mark, _, flags, method, _, _, crc, packed, size, named, extra = _LOCAL.unpack(head)
    begin: int = entry.offset + _LOCAL.size + named + extra
    if begin + entry.packed > following:
        raise ContainerError(DAMAGED)
    same = (mark, method, flags & _ENCRYPTED) == (_LOCAL_MARK, entry.method, 0)
    if not same or stream.read(named) != entry.name:
        raise MemberError(DAMAGED)
    told = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    if not flags & _SIZES_FOLLOW and any(one not in (other, *_UNKNOWN) for one, other in told):
        raise MemberError(DAMAGED)
    return begin


class _Unpacked:
    """What a member holds."""

    def __init__(self, stream: IO[bytes], entry: Entry, begin: int, budget: Budget) -> None:
        self._stream, self._entry, self._budget = stream, entry, budget
        self._at, self._left = begin, entry.packed
        self._count, self._crc = 0, 0
        inflates = entry.method == _DEFLATED
        self._unpacked: Read = Inflated(self._packed, RAW).read if inflates else self._packed

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end.

        Raises:
            MemberError: `container-damaged`: it is not what the directory says.
            ContainerError: `container-limit`.
        """
        try:
            data = self._unpacked(size)
        except ContainerError as error:
            raise MemberError(error.code) from None
        self._budget.spend(len(data))
        self._count += len(data)
        self._crc = zlib.crc32(data, self._crc)
        entry = self._entry
        if self._count > entry.size or (
            not data and (self._count, self._crc) != (entry.size, entry.crc)
        ):
            raise MemberError(DAMAGED)
        return data

    def _packed(self, size: int) -> bytes:
        self._stream.seek(self._at)
        data = self._stream.read(min(size, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data
