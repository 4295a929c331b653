"""The root data set, walked element by element up to the last that is wanted."""

from __future__ import annotations

import struct
from functools import lru_cache

from deidfhir.dicom.elements import Content, Elements
from deidfhir.dicom.scan.heads import (
    CHARSET,
    DELIMITER_GROUP,
    LONG_VRS,
    SHORT_VRS,
    UNDEFINED,
    element_at,
    explicit_head,
    implicit_head,
    length_of,
)
from deidfhir.dicom.scan.items import Items, require_flat
from deidfhir.dicom.scan.layout import Mark
from deidfhir.dicom.scan.signs import OddError, ShortError
from deidfhir.dicom.scan.slots import Slot, require_vr, root_slots
from deidfhir.dicom.scan.values import codec_of
from deidfhir.model.attributes import last_tag

_META = 0x0002FFFF
"""What is not above it belongs to File Meta."""

_REMEMBERED, _LONGEST = 512, 4096
_LAST: dict[tuple[int, bool, str], tuple[bytes, Content]] = {}


class Root:
    """Walks one root data set.

    Args:
        data: Bytes of a file from its beginning on.
        explicit: Whether VRs are written.
    """

    __slots__ = ("codec", "data", "explicit", "found", "marks", "passed")

    def __init__(self, data: bytes, *, explicit: bool) -> None:
        self.data, self.explicit = data, explicit
        self.found: Elements = {}
        self.marks: list[Mark] = []
        self.passed = False
        self.codec = codec_of(None)

    def walk(self, pos: int, before: int = _META) -> None:
        """Walk until the last wanted tag is passed, or to the end of the bytes.

        Args:
            pos: Where the data set begins, or goes on.
            before: Tag of the element before that, where it goes on.

        Raises:
            ShortError: The bytes end before that, and not between two elements.
            OddError: The elements are not in their order, or of a form that the scan does not know.
        """
        try:
            if self.explicit:
                self._explicit(pos, before)
            else:
                self._implicit(pos, before)
        except struct.error:
            raise ShortError(len(self.data) + 1) from None

    def take(self, tag: int, slot: Slot | None, pos: int) -> int:
        """Take in one element of which the tag is known; return where it ends.

        Args:
            tag: What it should be.
            slot: Where it goes, if it is wanted.
            pos: Where it begins.

        Raises:
            ShortError: It is not there as a whole.
            OddError: It is another one, or one that the scan does not know.
        """
        found, vr, length, start = element_at(self.data, pos, explicit=self.explicit)
        if found != tag:
            raise OddError
        return self._content(tag, slot, vr, length, start)

    def _explicit(self, pos: int, before: int) -> None:
        data, last = self.data, last_tag()
        size, slot_of, mark = len(data), root_slots().get, self.marks.append
        while pos != size:
            begin = pos
            group, number, vr, length = explicit_head(data, pos)
            tag = group << 16 | number
            pos += 8
            if vr not in SHORT_VRS:
                if vr not in LONG_VRS:
                    raise OddError
                (length,) = length_of(data, pos)
                pos += 4
            if not before < tag <= last:
                self._end(tag, before)
                return
            slot = slot_of(tag)
            if slot is None and length != UNDEFINED:
                pos += length
            else:
                pos = self._content(tag, slot, vr, length, pos)
            mark((tag, begin, pos))
            before = tag

    def _implicit(self, pos: int, before: int) -> None:
        data, last = self.data, last_tag()
        size, slot_of, mark = len(data), root_slots().get, self.marks.append
        if before == _META and _looks_explicit(data, pos):
            raise OddError
        while pos != size:
            begin = pos
            group, number, length = implicit_head(data, pos)
            tag = group << 16 | number
            if not before < tag <= last:
                self._end(tag, before)
                return
            slot = slot_of(tag)
            if slot is None and length != UNDEFINED:
                pos += 8 + length
            else:
                pos = self._content(tag, slot, b"", length, pos + 8)
            mark((tag, begin, pos))
            before = tag

    def _end(self, tag: int, before: int) -> None:
        if tag <= before or tag >> 16 == DELIMITER_GROUP:
            raise OddError
        self.passed = True

    def _content(self, tag: int, slot: Slot | None, vr: bytes, length: int, start: int) -> int:
        """Take in the content of an element if it is wanted; return where it ends."""
        end = start + length
        if slot is None:
            if length != UNDEFINED:
                return end
            if vr not in (b"", b"SQ"):
                raise OddError
            end = self._delimited(tag, start, "")[1]
            if not self.explicit:
                require_flat(self.data, start, end)
            return end
        require_vr(vr, slot)
        if slot.is_sequence:
            return self._sequence(slot, start, length)
        if length == UNDEFINED:
            raise OddError
        if end > len(self.data):
            raise ShortError(end)
        raw = self.data[start:end]
        if tag == CHARSET:
            self.codec = codec_of(raw)
        self.found[slot.keyword] = slot.value(raw, self.codec)
        return end

    def _sequence(self, slot: Slot, start: int, length: int) -> int:
        within, end = slot.attribute.items, start + length
        content: Content = ()
        if length == UNDEFINED:
            content, end = self._delimited(slot.attribute.tag, start, within)
        elif end > len(self.data):
            raise ShortError(end)
        elif within:
            raw = self.data[start:end]
            content = _sequence_of(raw, within, self.codec, explicit=self.explicit)
        self.found[slot.keyword] = content if within else ()
        return end

    def _delimited(self, tag: int, start: int, within: str) -> tuple[Content, int]:
        """Return the items of a sequence of undefined length, and where it ends.

        What the object before held there is tried first: its bytes end with the delimiter.
        """
        key = (tag, self.explicit, self.codec)
        raw, content = _LAST.get(key, (b"", ()))
        if raw and self.data.startswith(raw, start):
            return content, start + len(raw)
        items = Items(self.data, explicit=self.explicit, codec=self.codec)
        content, end = items.read(start, UNDEFINED, within)
        if len(_LAST) >= _REMEMBERED:
            _LAST.clear()
        if end - start <= _LONGEST:
            _LAST[key] = self.data[start:end], content
        return content, end


@lru_cache(_REMEMBERED)
def _sequence_of(raw: bytes, within: str, codec: str, *, explicit: bool) -> Content:
    """Return the items of a sequence: the same bytes hold the same."""
    try:
        return Items(raw, explicit=explicit, codec=codec).read(0, len(raw), within)[0]
    except (ShortError, struct.error):
        raise OddError from None  # an item that is longer than its sequence


def _looks_explicit(data: bytes, pos: int) -> bool:
    """Whether what should be a length looks like a VR: pydicom then reads it as one."""
    vr = data[pos + 4 : pos + 6]
    if len(vr) < 2:
        raise ShortError(pos + 6)
    return all(0x40 < one < 0x5B for one in vr)
