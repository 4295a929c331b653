"""Sequences: their items walked to the last byte, and the wanted elements of each."""

from __future__ import annotations

from collections.abc import Mapping

from deidfhir.dicom.elements import DEEPEST, Content, Elements
from deidfhir.dicom.scan.heads import (
    CHARSET,
    DELIMITER_GROUP,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    element_at,
)
from deidfhir.dicom.scan.signs import OddError, ShortError
from deidfhir.dicom.scan.values import decoded
from deidfhir.model.attributes import Attribute, attributes

_NOTHING: Mapping[int, Attribute] = {}
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"


def require_flat(data: bytes, start: int, end: int) -> None:
    """Require that an element that is not wanted, and has no VR written, ends where it seems to.

    pydicom's dictionary says whether it is a sequence. If not, it ends at the first delimiter.

    Args:
        data: Bytes of a file from its beginning on.
        start: Where its value begins.
        end: Where it ends if it is a sequence.

    Raises:
        OddError: There is another delimiter within.
    """
    if data.find(_SEQUENCE_END, start) != end - 8:
        raise OddError


class Items:
    """Reads sequences of one encoding.

    Args:
        data: Bytes of a file from its beginning on.
        explicit: Whether VRs are written.
        codec: That of the object's texts.
    """

    __slots__ = ("codec", "data", "explicit")

    def __init__(self, data: bytes, *, explicit: bool, codec: str) -> None:
        self.data, self.explicit, self.codec = data, explicit, codec

    def read(
        self, pos: int, length: int, within: str, depth: int = 1
    ) -> tuple[tuple[Elements, ...], int]:
        """Return the wanted elements of each item, and where the sequence ends.

        Args:
            pos: Where its value begins.
            length: Of its value.
            within: Where its items' attributes stand in the table; empty if none is wanted.
            depth: In how many sequences it stands.

        Raises:
            ShortError: It is not there as a whole.
            OddError: Its items do not fill it exactly, or hold what the scan does not know.
        """
        if depth > DEEPEST:
            raise OddError
        end = UNDEFINED if length == UNDEFINED else pos + length
        if end != UNDEFINED and end > len(self.data):
            raise ShortError(end)
        wanted = attributes(within) if within else _NOTHING
        found: list[Elements] = []
        while pos != end:
            tag, _, size, pos = self._delimiter(pos)
            if tag == SEQUENCE_END and end == UNDEFINED and not size:
                return tuple(found), pos
            if tag != ITEM:
                raise OddError
            elements, pos = self._item(pos, size, wanted, depth)
            found.append(elements)
            if end != UNDEFINED and pos > end:
                raise OddError
        return tuple(found), pos

    def _delimiter(self, pos: int) -> tuple[int, bytes, int, int]:
        head = element_at(self.data, pos, explicit=False)
        if head[0] >> 16 != DELIMITER_GROUP:
            raise OddError
        return head

    def _item(
        self, pos: int, length: int, wanted: Mapping[int, Attribute], depth: int
    ) -> tuple[Elements, int]:
        end = UNDEFINED if length == UNDEFINED else pos + length
        if end != UNDEFINED and end > len(self.data):
            raise ShortError(end)
        found: Elements = {}
        before = -1
        while pos != end:
            tag, vr, size, pos = element_at(self.data, pos, explicit=self.explicit)
            if tag == ITEM_END and end == UNDEFINED and not size:
                return found, pos
            if tag <= before or tag >> 16 == DELIMITER_GROUP or tag == CHARSET:
                raise OddError
            before = tag
            attribute = wanted.get(tag)
            if attribute is None:
                pos = self._passed(vr, size, pos, depth)
            else:
                found[attribute.keyword], pos = self._taken(attribute, vr, size, pos, depth)
            if end != UNDEFINED and pos > end:
                raise OddError
            if pos > len(self.data):
                raise ShortError(pos)
        return found, pos

    def _passed(self, vr: bytes, length: int, pos: int, depth: int) -> int:
        """Return where an element ends that is not wanted."""
        if length != UNDEFINED:
            return pos + length
        if vr not in (b"", b"SQ"):
            raise OddError
        end = self.read(pos, length, "", depth + 1)[1]
        if not self.explicit:
            require_flat(self.data, pos, end)
        return end

    def _taken(
        self, attribute: Attribute, vr: bytes, length: int, pos: int, depth: int
    ) -> tuple[Content, int]:
        """Return the content of a wanted element, and where it ends."""
        if vr and vr.decode() != attribute.vr:
            raise OddError
        if attribute.vr == "SQ":
            items, end = self.read(pos, length, attribute.items, depth + 1)
            return items if attribute.items else (), end
        end = pos + length
        if length == UNDEFINED:
            raise OddError
        if end > len(self.data):
            raise ShortError(end)
        return decoded(self.data[pos:end], attribute, self.codec), end
