"""Where the elements of a file stand: as good as can be told, also of one that is spoilt."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass

from deidfhir.dicom.scan.heads import (
    DELIMITER_GROUP,
    ITEM,
    LONG_VRS,
    META_GROUP,
    PREAMBLE,
    SHORT_VRS,
    TRANSFER_SYNTAX,
    UNDEFINED,
    explicit_head,
    implicit_head,
    length_of,
)

PIXELS = 0x7FE00010
_MOST = 400
_ITEM_BYTES = (ITEM >> 16).to_bytes(2, "little") + (ITEM & 0xFFFF).to_bytes(2, "little")
_IMPLICIT, _DEFLATED = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1.99"
_INFLATED, _AT_ONCE = 1 << 20, 1 << 10


@dataclass(frozen=True, slots=True)
class Piece:
    """One element, or the head of a sequence, of an item or of a delimiter.

    Args:
        tag: Group and element as one number.
        vr: The written VR; empty where none is.
        begin: Its first byte.
        field: The first byte of its length.
        start: The first byte of its value.
        end: Behind it; behind the head alone where the next piece stands inside.
    """

    tag: int
    vr: bytes
    begin: int
    field: int
    start: int
    end: int

    @property
    def width(self) -> int:
        """Bytes of its length."""
        return 2 if self.vr in SHORT_VRS else 4


@dataclass(frozen=True, slots=True)
class Shape:
    """What is told of a file.

    Args:
        pieces: Up to the pixels, File Meta and items included.
        explicit: Whether VRs are written in its data set.
        body: Where its data set begins.
        deflated: Whether it says that its data set is deflated.
    """

    pieces: list[Piece]
    explicit: bool
    body: int
    deflated: bool


def shape_of(data: bytes) -> Shape:
    """Return the shape of a file.

    Args:
        data: Its bytes.
    """
    pos = PREAMBLE if data[128:132] == b"DICM" else 0
    found: list[Piece] = []
    syntax = b""
    while (piece := _piece(data, pos, explicit=True)) and piece.tag >> 16 == META_GROUP:
        found.append(piece)
        pos = piece.end
        if piece.tag == TRANSFER_SYNTAX:
            syntax = data[piece.start : pos].rstrip(b" \0")
    body, explicit = pos, syntax != _IMPLICIT
    if syntax != _DEFLATED:
        found += _of_body(data, pos, explicit=explicit)
    return Shape(found, explicit, body, syntax == _DEFLATED)


def pieces_of(data: bytes) -> list[Piece]:
    """Return the pieces of a data set that stands alone, VRs written."""
    return _of_body(data, 0, explicit=True)


def _of_body(data: bytes, pos: int, *, explicit: bool) -> list[Piece]:
    found: list[Piece] = []
    while len(found) < _MOST and (piece := _piece(data, pos, explicit=explicit)):
        found.append(piece)
        pos = piece.end
        if piece.tag == PIXELS:
            break
    return found


def _piece(data: bytes, pos: int, *, explicit: bool) -> Piece | None:
    if pos + 12 > len(data):
        return None
    group, number, length = implicit_head(data, pos)
    tag, vr, field = group << 16 | number, b"", pos + 4
    if explicit and group != DELIMITER_GROUP:
        _, _, vr, length = explicit_head(data, pos)
        field = pos + 6
        if vr in LONG_VRS:
            field = pos + 8
            (length,) = length_of(data, field)
        elif vr not in SHORT_VRS:
            return None
    start = field + (2 if vr in SHORT_VRS else 4)
    inside = length == UNDEFINED or data.startswith(_ITEM_BYTES, start)
    end = start if inside or group == DELIMITER_GROUP else min(start + length, len(data))
    return Piece(tag, vr, pos, field, start, end)


def inflated(data: bytes, body: int, most: int = _INFLATED) -> bytes:
    """Return the data set of a deflated file, as far as it can be inflated.

    Args:
        data: The file.
        body: Where the data set begins.
        most: How many bytes of it are wanted.
    """
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    found, rest = b"", data[body:]
    with suppress(zlib.error):
        while len(found) < most and (more := unpacker.decompress(rest, _AT_ONCE)):
            found, rest = found + more, unpacker.unconsumed_tail
    return found


def deflated(data: bytes) -> bytes:
    """Return a data set as it stands in a deflated file."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def difference(one: bytes, other: bytes) -> tuple[int, int]:
    """Return first byte and end of what differs in one of two files.

    Args:
        one: The file in which the places are.
        other: The other one.
    """
    begin = alike(one, other)
    most = min(len(one), len(other)) - begin
    tail = alike(one[len(one) - most :][::-1], other[len(other) - most :][::-1])
    return begin, len(one) - tail


def alike(one: bytes, other: bytes) -> int:
    """Return how many bytes two files have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
