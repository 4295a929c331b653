"""Bytes that pydicom would not write: wrong VRs, group lengths in items, sequences as UN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .objects import tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Raw = tuple[int, str, bytes]
    """Tag, VR with a two-byte length field, and value of one element."""

ITEM = b"\xfe\xff\x00\xe0"


def relabel(
    data: bytes, tag: str | int, vr: str, *, written: str = "OB", undefined_length: bool = False
) -> bytes:
    """Change the VR of an element in explicit little-endian bytes, its value untouched.

    pydicom itself would not write the wanted VR, or not with such a value.

    Args:
        data: The bytes of the whole file.
        tag: The keyword or number of an element that is there exactly once.
        vr: The VR wanted, with a length field as long as that of the VR written.
        written: The VR in the bytes.
        undefined_length: Replace the length, too; `written` must be one with four bytes for it.
    """
    number = tag_of(tag)
    header = _tag_bytes(number) + written.encode()
    if data.count(header) != 1:
        msg = f"{number} with VR {written} is not there exactly once"
        raise ValueError(msg)
    start = data.index(header)
    length = b"\xff\xff\xff\xff" if undefined_length else data[start + 8 : start + 12]
    rest = data[start + 6 : start + 8] + length + data[start + 12 :]
    return data[: start + 4] + vr.encode() + rest


def explicit_items(items: Sequence[Sequence[Raw]]) -> bytes:
    """Return the value of a sequence, explicit VR little endian, of items with lengths."""
    return _items(
        b"".join(
            _tag_bytes(tag) + vr.encode() + len(value).to_bytes(2, "little") + value
            for tag, vr, value in elements
        )
        for elements in items
    )


def implicit_items(items: Sequence[Sequence[Raw]]) -> bytes:
    """Return the value of a sequence, implicit VR, as PS3.5 6.2.2 wants it inside UN."""
    return _items(
        b"".join(
            _tag_bytes(tag) + len(value).to_bytes(4, "little") + value for tag, _, value in elements
        )
        for elements in items
    )


def _items(bodies: Iterable[bytes]) -> bytes:
    """Return items, each with its tag and length."""
    return b"".join(ITEM + len(body).to_bytes(4, "little") + body for body in bodies)


def _tag_bytes(tag: int) -> bytes:
    """Return a tag in little-endian bytes."""
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
