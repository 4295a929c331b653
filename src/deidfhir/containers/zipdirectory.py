"""The central directory of a zip file (APPNOTE 4.3.12 to 4.3.16), read entry by entry."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from deidfhir.containers.faults import DAMAGED, ContainerError

_END = struct.Struct("<4sHHHHIIH")
_END_MARK = b"PK\5\6"
_LONGEST_COMMENT = 0xFFFF
_LOCATOR, _LOCATOR_MARK = struct.Struct("<4sIQI"), b"PK\6\7"
_END64, _END64_MARK = struct.Struct("<4sQHHIIQQQQ"), b"PK\6\6"
_ENTRY, _ENTRY_MARK = struct.Struct("<4sHHHHHHIIIHHHHHII"), b"PK\1\2"
_ZIP64 = 0x0001
_IN_ZIP64 = 0xFFFFFFFF
_UNIX = 3
_PIECE = 256 << 10


@dataclass(frozen=True, slots=True)
class Entry:
    """What the central directory says of one member.

    Args:
        name: Its bytes.
        flags: General purpose flags (4.4.4).
        method: How it is packed (4.4.5).
        crc: CRC-32 of what it holds.
        packed: Its bytes in the file.
        size: Its bytes when unpacked.
        offset: Where its local header begins.
        mode: Its Unix mode, 0 where it has none.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies.

    Args:
        begin: Its first byte.
        size: Its bytes.
        count: How many entries it has.
        shift: How many bytes lie before the zip file, such as a program that unpacks it.
    """

    begin: int
    size: int
    count: int
    shift: int


def directory_of(stream: IO[bytes], size: int) -> Directory:
    """Return where the central directory of a zip file lies.

    Args:
        stream: The file.
        size: Its bytes.

    Raises:
        ContainerError: `container-damaged`: there is none, or something lies behind its end.
    """
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    stream.seek(start)
    tail = stream.read(size - start)
    at = tail.rfind(_END_MARK)
    while at >= 0:
        if at + _END.size <= len(tail):
            _, disk, of_disk, here, count, length, offset, comment = _END.unpack_from(tail, at)
            if at + _END.size + comment == len(tail):
                found = _found(stream, start + at, (count, length, offset))
                if disk or of_disk or (here != count):
                    break  # one of several files
                return found
        at = tail.rfind(_END_MARK, 0, at)
    raise ContainerError(DAMAGED)


def _found(stream: IO[bytes], end: int, told: tuple[int, int, int]) -> Directory:
    """Return where a directory lies that ends before a place, by what the record there tells."""
    count, length, offset = told
    before = _LOCATOR.size + _END64.size
    if end >= before:
        stream.seek(end - before)
        data = stream.read(before)
        if data[_END64.size :].startswith(_LOCATOR_MARK):
            mark, _, _, _, _, _, _, count, length, offset = _END64.unpack_from(data)
            if mark != _END64_MARK:
                raise ContainerError(DAMAGED)
            end -= before
    begin = end - length
    shift = begin - offset
    if begin < 0 or shift < 0:
        raise ContainerError(DAMAGED)
    return Directory(begin, length, count, shift)


def entries_of(stream: IO[bytes], directory: Directory) -> Iterator[Entry]:
    """Yield what a central directory says of each member; between two, the file may be used.

    Args:
        stream: The file.
        directory: Where it lies.

    Raises:
        ContainerError: `container-damaged`: it is no directory of so many entries.
    """
    pieces = _Pieces(stream, directory.begin, directory.begin + directory.size)
    for _ in range(directory.count):
        mark, made, _, flags, method, _, _, crc, packed, size, *lengths, outer, offset = (
            _ENTRY.unpack(pieces.take(_ENTRY.size))
        )
        if mark != _ENTRY_MARK:
            raise ContainerError(DAMAGED)
        name, extra, _ = (pieces.take(one) for one in lengths[:3])
        size, packed, offset = _in_full(extra, (size, packed, offset))
        mode = outer >> 16 if made >> 8 == _UNIX else 0
        yield Entry(name, flags, method, crc, packed, size, offset + directory.shift, mode)
    if pieces.left:
        raise ContainerError(DAMAGED)


def _in_full(extra: bytes, told: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return size, packed size and offset, as the Zip64 field gives them (APPNOTE 4.5.3)."""
    if _IN_ZIP64 not in told:
        return told
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64:
            values = iter(
                struct.unpack_from(f"<{length // 8}Q", extra.ljust(at + 4 + length), at + 4)
            )
            size, packed, offset = (next(values, one) if one == _IN_ZIP64 else one for one in told)
            return size, packed, offset
        at += 4 + length
    return told


class _Pieces:
    """Some bytes of a file, read a piece at a time."""

    def __init__(self, stream: IO[bytes], begin: int, end: int) -> None:
        self._stream, self._at, self._end = stream, begin, end
        self._data, self._pos = b"", 0

    @property
    def left(self) -> int:
        """How many bytes were not taken."""
        return self._end - self._at + len(self._data) - self._pos

    def take(self, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            ContainerError: `container-damaged`: there are fewer.
        """
        if len(self._data) - self._pos < size:
            self._stream.seek(self._at)
            more = self._stream.read(min(_PIECE, self._end - self._at))
            self._data, self._pos = self._data[self._pos :] + more, 0
            self._at += len(more)
            if len(self._data) < size:
                raise ContainerError(DAMAGED)
        self._pos += size
        return self._data[self._pos - size : self._pos]
