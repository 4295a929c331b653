"""File Meta (PS3.10 7.1): where the data set begins, how it is encoded, what supports a tool."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.scan.heads import (
    GROUP_LENGTH,
    META_GROUP,
    PREAMBLE,
    TRANSFER_SYNTAX,
    UNDEFINED,
    element_at,
)
from deidfhir.dicom.scan.layout import Mark
from deidfhir.dicom.scan.signs import OddError, ShortError
from deidfhir.dicom.scan.slots import meta_slots, require_vr

_GROUP = struct.pack("<H", META_GROUP)


@dataclass(slots=True)
class Meta:
    """File Meta as far as it is looked at.

    Args:
        end: Where the data set begins.
        transfer_syntax: Its UID, without padding.
        elements: The wanted elements.
        marks: All elements.
    """

    end: int = PREAMBLE
    transfer_syntax: bytes = b""
    elements: Elements = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)


def meta_of(data: bytes) -> Meta:
    """Return the File Meta of a file.

    Args:
        data: The file from its beginning on.

    Raises:
        ShortError: It is not there as a whole.
        OddError: It is not as the standard has it.
    """
    meta, pos, before = Meta(), PREAMBLE, -1
    while data.startswith(_GROUP, pos):
        begin = pos
        tag, vr, length, pos = element_at(data, pos, explicit=True)
        if tag <= before or length == UNDEFINED:
            raise OddError
        if before < 0 and not _is_first(tag, vr, length):
            raise OddError
        before, end = tag, pos + length
        if end > len(data):
            raise ShortError(end)
        if tag == TRANSFER_SYNTAX:
            if vr != b"UI":
                raise OddError
            meta.transfer_syntax = data[pos:end].rstrip(b" \0")
        elif (slot := meta_slots().get(tag)) is not None:
            require_vr(vr, slot)
            meta.elements[slot.keyword] = slot.value(data[pos:end], "")
        meta.marks.append((tag, begin, end))
        pos = end
    if pos + 2 > len(data):
        raise ShortError(pos + 2)
    meta.end = pos
    return meta


def _is_first(tag: int, vr: bytes, length: int) -> bool:
    """Whether File Meta may begin so: pydicom decodes its first element, whatever it is."""
    if tag == GROUP_LENGTH:
        return vr == b"UL" and length == 4
    return vr in (b"OB", b"UI")
