"""What is done to a file: each edit spoils one thing, and knows where the elements stand."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from deidfhir.dicom.evidence import FILE_META, PRIVATE_CREATORS
from deidfhir.dicom.scan.heads import (
    CHARSET,
    GROUP_LENGTH,
    ITEM,
    ITEM_END,
    LONG_VRS,
    META_GROUP,
    SEQUENCE_END,
    SHORT_VRS,
    TRANSFER_SYNTAX,
    UNDEFINED,
)
from deidfhir.model.attributes import attributes
from tools.fuzz.shapes import Piece

Edit: TypeAlias = Callable[[bytes, list[Piece], Random], bytes]
"""The bytes, their pieces, and chance → other bytes."""

_VRS = [*sorted(SHORT_VRS | LONG_VRS), b"OX", b"  ", b"\0\0", b"sq"]
_WANTED = [
    (one.tag, one.vr.encode())
    for within in ("object", "code item", "equipment item", "udi item", "scheme item", FILE_META)
    for one in attributes(within).values()
]
_TAGS = [tag for tag, _ in _WANTED] + [
    *(*PRIVATE_CREATORS[:3], 0x00130100, 0x00090010, 0x00091001),
    *(CHARSET, GROUP_LENGTH, TRANSFER_SYNTAX, ITEM, ITEM_END, SEQUENCE_END),
    *(0x00000000, 0x00020000, 0x00080000, 0x00280000, 0x00281000, 0x7FE00010, 0xFFFCFFFC),
]
_TEXTS = [
    *(
        b"",
        b" ",
        b"\0",
        b"  ",
        b" \0",
        b"\\",
        b"\\\\\\",
        b"a\\b ",
        b" a \\ b ",
        b"a\0\\b\0",
        b"YES ",
    ),
    *(b"\x1b$B\x30\x21", b"\x1b", b"\xc3\xa4", b"\xe4 ", b"\xff\xfe", b"a\\\xe4 ", b"a\0b ", b"\n"),
    *(b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00", b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0"),
    *(b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 6 ", b"ISO_IR 144", b"GB18030 ", b"iso_ir 100"),
    *(b"ISO 2022 IR 87", b"\\ISO 2022 IR 87", b"ISO_IR 100\\ISO_IR 192", b"ISO_IR_192"),
    *(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"),
    *(b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.5\0", b"1.2.3 "),
    *(b"1e5 ", b"-1", b"20200101", b"101500.5", b"A" * 70, b"1" * 300),
]
_BYTES = (0x00, 0x01, 0x0A, 0x1B, 0x20, 0x41, 0x5C, 0x7F, 0x80, 0xE4, 0xFE, 0xFF)
_HEAD = 4096
"""Bytes at the beginning of which most edits choose one, whatever stands there."""


def flip(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Flip one bit or a few, in the heads of elements as often as anywhere else."""
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        spoilt[_place(data, pieces, rng)] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def other_byte(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Put another byte, mostly one that means something."""
    spoilt = bytearray(data)
    spoilt[_place(data, pieces, rng)] = rng.choice((*_BYTES, rng.randrange(256)))
    return bytes(spoilt)


def cut(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Cut the file at any byte, or take some bytes out of it."""
    place = _place(data, pieces, rng)
    if rng.random() < 0.5:
        return data[:place]
    return data[:place] + data[place + rng.choice((1, 2, 4, 8, rng.randrange(1, 80))) :]


def lie(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Let an element state another length than it has."""
    piece = rng.choice(pieces)
    behind, true = len(data) - piece.start, piece.end - piece.start
    lies = (0, true + 1, true - 1, true + 2, true - 2, true + 8, true + 12, behind, behind + 1)
    length = rng.choice((*lies, UNDEFINED, UNDEFINED, 0xFFFF, 0x7FFFFFFF, rng.randrange(1 << 16)))
    return _with_length(data, piece, length)


def moved(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Put some elements elsewhere."""
    begin, end = _span(pieces, rng)
    rest = data[:begin] + data[end:]
    place = rng.choice(pieces).begin
    place -= (end - begin) if place >= end else max(0, place - begin)
    return rest[:place] + data[begin:end] + rest[place:]


def doubled(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Put some elements a second time, mostly behind themselves."""
    begin, end = _span(pieces, rng)
    place = end if rng.random() < 0.6 else rng.choice(pieces).begin
    return data[:place] + data[begin:end] + data[place:]


def dropped(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Leave some elements out."""
    begin, end = _span(pieces, rng)
    return data[:begin] + data[end:]


def swapped(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Let two elements have each other's tag."""
    one, other = rng.choice(pieces), rng.choice(pieces)
    spoilt = bytearray(data)
    spoilt[one.begin : one.begin + 4] = data[other.begin : other.begin + 4]
    spoilt[other.begin : other.begin + 4] = data[one.begin : one.begin + 4]
    return bytes(spoilt)


def retagged(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Let an element have another tag: one that is wanted, or one of the encoding."""
    piece = rng.choice(pieces)
    tag = rng.choice((rng.choice(_TAGS), rng.choice(_TAGS), piece.tag ^ 1, piece.tag + 1))
    return data[: piece.begin] + _written(tag) + data[piece.begin + 4 :]


def other_vr(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Write another VR, with the length as wide as that one has it or as it was."""
    piece = rng.choice(pieces)
    if not piece.vr:
        return lie(data, pieces, rng)
    vr, at = rng.choice(_VRS), piece.begin + 4
    if rng.random() < 0.5:
        return data[:at] + vr + data[at + 2 :]
    head = _head(piece.tag, vr, piece.end - piece.start, explicit=True)
    return data[: piece.begin] + head + data[piece.start :]


def other_value(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Give an element another value; its length is true."""
    piece = rng.choice(pieces)
    if piece.end == piece.start and rng.random() < 0.8:
        piece = rng.choice(pieces)
    value = data[piece.start : piece.end]
    kind = rng.randrange(4)
    if kind == 0:
        value += rng.choice((b" ", b"\0", b"\\", b"\\a", b"\xe4", rng.choice(_TEXTS)))
    elif kind == 1 and value:
        value = rng.choice(_TEXTS) + value[rng.randrange(len(value)) :]
    else:
        value = rng.choice(_TEXTS)
    spoilt = _with_length(data, piece, len(value))
    return spoilt[: piece.start] + value + spoilt[piece.end :]


def planted(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Put a wanted element where its tag belongs: so the file stays one that can be walked."""
    explicit = any(one.vr for one in pieces if one.tag >> 16 != META_GROUP)
    tag, vr = rng.choice(_WANTED)
    if rng.random() < 0.1:
        tag, vr = rng.choice(_TAGS), rng.choice(_VRS)
    if rng.random() < 0.2:
        vr = rng.choice(_VRS)
    value = _items(rng, explicit=explicit) if vr == b"SQ" else rng.choice(_TEXTS)
    head = _head(tag, vr, len(value), explicit=explicit or tag >> 16 == META_GROUP)
    if vr == b"SQ" and rng.random() < 0.5:
        head, value = head[:-4] + b"\xff\xff\xff\xff", value + _written(SEQUENCE_END) + bytes(4)
    behind = (one for one in pieces if one.tag >= tag)
    place = next((one.begin for one in behind), pieces[-1].end)
    same = next((one for one in pieces if one.tag == tag), None)
    end = same.end if same is not None and same.begin == place else place
    return data[:place] + head + value + data[end:]


def delimited(data: bytes, pieces: list[Piece], rng: Random) -> bytes:
    """Put the head of an item or a delimiter between two elements, with a length or none."""
    place = rng.choice(pieces).begin
    length = rng.choice((0, 0, 8, UNDEFINED, rng.randrange(64)))
    head = _written(rng.choice((ITEM, ITEM_END, SEQUENCE_END))) + length.to_bytes(4, "little")
    return data[:place] + head + data[place:]


EDITS: tuple[Edit, ...] = (
    *([flip] * 3 + [other_byte] * 2 + [cut] + [lie] * 2 + [moved, doubled] + [dropped] * 2),
    *([swapped] + [retagged] * 2 + [other_vr] * 2 + [other_value] * 5 + [planted] * 5),
    delimited,
)
"""All of them, some more often than others."""


def spliced(
    data: bytes, pieces: list[Piece], other: tuple[bytes, list[Piece]], rng: Random
) -> bytes:
    """Put some elements of another file among those of this one, or go on with the other one.

    Args:
        data: The bytes.
        pieces: Their pieces.
        other: Bytes and pieces of the other file.
        rng: Chance.
    """
    giver, given = other
    begin, end = _span(given, rng)
    tag = next(one.tag for one in given if one.begin == begin)
    fits = next((one.begin for one in pieces if one.tag >= tag), pieces[-1].end)
    place = fits if rng.random() < 0.7 else rng.choice(pieces).begin
    if rng.random() < 0.3:
        return data[:place] + giver[begin:]
    return data[:place] + giver[begin:end] + data[place:]


def _place(data: bytes, pieces: list[Piece], rng: Random) -> int:
    kind = rng.random()
    if kind < 0.5:
        piece = rng.choice(pieces)
        return min(rng.randrange(piece.begin, piece.start), len(data) - 1)
    if kind < 0.8:
        piece = rng.choice(pieces)
        return min(rng.randrange(piece.start, max(piece.end, piece.start + 1)), len(data) - 1)
    return rng.randrange(min(len(data), _HEAD))


def _span(pieces: list[Piece], rng: Random) -> tuple[int, int]:
    """Return begin and end of some pieces that follow each other."""
    first = rng.randrange(len(pieces))
    last = min(first + rng.choice((0, 0, 0, 1, 2, rng.randrange(20))), len(pieces) - 1)
    return pieces[first].begin, pieces[last].end


def _with_length(data: bytes, piece: Piece, length: int) -> bytes:
    stated = (length % (1 << 8 * piece.width)).to_bytes(piece.width, "little")
    return data[: piece.field] + stated + data[piece.field + piece.width :]


def _written(tag: int) -> bytes:
    return (tag >> 16 & 0xFFFF).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


def _head(tag: int, vr: bytes, length: int, *, explicit: bool) -> bytes:
    if not explicit:
        return _written(tag) + length.to_bytes(4, "little")
    if vr in LONG_VRS:
        return _written(tag) + vr + bytes(2) + length.to_bytes(4, "little")
    return _written(tag) + vr + (length % (1 << 16)).to_bytes(2, "little")


def _items(rng: Random, *, explicit: bool) -> bytes:
    """Return one item or some, with elements that a code or a device has."""
    found = b""
    for _ in range(rng.randrange(3)):
        body = b""
        for tag, vr in sorted(rng.sample(_WANTED, rng.randrange(4))):
            value = rng.choice(_TEXTS)
            body += _head(tag, vr, len(value), explicit=explicit) + value
        if rng.random() < 0.5:
            found += _written(ITEM) + len(body).to_bytes(4, "little") + body
        else:
            found += _written(ITEM) + b"\xff\xff\xff\xff" + body + _written(ITEM_END) + bytes(4)
    return found
