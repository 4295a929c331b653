"""Where the wanted elements of a data set go; what was decoded once is remembered by its bytes.

Equal bytes in the same place say the same: within a series most elements are equal.
"""

from __future__ import annotations

from functools import cache

from deidfhir.dicom.elements import Content
from deidfhir.dicom.evidence import FILE_META, PRIVATE_CREATORS
from deidfhir.dicom.scan.signs import OddError
from deidfhir.dicom.scan.values import decoded
from deidfhir.model.attributes import Attribute, attributes

_REMEMBERED = 512


class Slot:
    """One wanted element.

    Args:
        attribute: Its row.
    """

    __slots__ = ("_values", "attribute", "is_sequence", "keyword", "vr")

    def __init__(self, attribute: Attribute) -> None:
        self.attribute, self.keyword = attribute, attribute.keyword
        self.vr, self.is_sequence = attribute.vr.encode(), attribute.vr == "SQ"
        self._values: dict[bytes, Content] = {}

    def value(self, raw: bytes, codec: str) -> Content:
        """Return the values that some bytes hold.

        Args:
            raw: The bytes.
            codec: That of the object's texts.

        Raises:
            OddError: What they say depends on more than these bytes.
        """
        found = self._values.get(raw)
        if found is None:
            found = decoded(raw, self.attribute, codec)
            if raw.isascii():  # others say by each character set something else
                if len(self._values) >= _REMEMBERED:
                    self._values.clear()
                self._values[raw] = found
        return found


class CreatorSlot(Slot):
    """One private creator of group 0013: evidence, not an element that is delivered."""

    __slots__ = ()

    def __init__(self, tag: int) -> None:
        row = Attribute(tag, f"creator {tag:08X}", "LO", "PS3.5 7.8.1", "never", "", (), "")
        super().__init__(row)

    def value(self, raw: bytes, codec: str) -> Content:
        """Return it as it is written."""
        del codec
        return (raw.decode("iso8859-1"),)


@cache
def root_slots() -> dict[int, Slot]:
    """Return the slots of the root data set, by tag."""
    slots = {tag: Slot(one) for tag, one in attributes("object").items()}
    return slots | {tag: CreatorSlot(tag) for tag in PRIVATE_CREATORS}


@cache
def meta_slots() -> dict[int, Slot]:
    """Return the slots of File Meta, by tag."""
    return {tag: Slot(one) for tag, one in attributes(FILE_META).items()}


def require_vr(written: bytes, slot: Slot) -> None:
    """Require that an element is written with the VR of the standard, or with none.

    Raises:
        OddError: It is not: that is a finding, or worse.
    """
    if written and written != slot.vr:
        raise OddError
