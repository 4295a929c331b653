"""Heads of data elements and items as they are encoded (PS3.5 7.1 and 7.5), little endian."""

from __future__ import annotations

from struct import Struct

from deidfhir.dicom.scan.signs import OddError, ShortError

PREAMBLE = 132
"""Bytes before File Meta: the preamble and the prefix `DICM` (PS3.10 7.1)."""

META_GROUP, GROUP_LENGTH, TRANSFER_SYNTAX = 0x0002, 0x00020000, 0x00020010
CHARSET = 0x00080005
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DELIMITER_GROUP = 0xFFFE

# PS3.5 7.1.2: VRs whose length has 16 bits, and those whose length has 32.
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())

explicit_head = Struct("<HH2sH").unpack_from
implicit_head = Struct("<HHI").unpack_from
length_of = Struct("<I").unpack_from


def element_at(data: bytes, pos: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
    """Return tag, written VR (empty where none is), length and start of the value of an element.

    Args:
        data: Bytes of a file from its beginning on.
        pos: Where the element begins.
        explicit: Whether VRs are written.

    Raises:
        ShortError: The head is not there as a whole.
        OddError: The VR is none that is known.
    """
    if pos + 8 > len(data):
        raise ShortError(pos + 8)
    if not explicit:
        group, number, length = implicit_head(data, pos)
        return group << 16 | number, b"", length, pos + 8
    group, number, vr, length = explicit_head(data, pos)
    if group == DELIMITER_GROUP:
        return group << 16 | number, b"", length_of(data, pos + 4)[0], pos + 8
    if vr in SHORT_VRS:
        return group << 16 | number, vr, length, pos + 8
    if vr not in LONG_VRS:
        raise OddError
    if pos + 12 > len(data):
        raise ShortError(pos + 12)
    return group << 16 | number, vr, length_of(data, pos + 8)[0], pos + 12
