"""Small files for the tests of reading, and where their root elements begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import UID

from tests.synthetic.objects import codes, equipment, item, put
from tests.unit.model.records import STUDY

if TYPE_CHECKING:
    from pydicom import Dataset


def marked_object(**more: object) -> Dataset:
    """Make the smallest object that has its UIDs and all markers."""
    made = item(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
        SOPInstanceUID=f"{STUDY}.1.1",
        PatientIdentityRemoved="YES",
        DeidentificationMethod=("first", "second"),
        DeidentificationMethodCodeSequence=codes("113100", "113105"),
        ContributingEquipmentSequence=[equipment(Manufacturer="PixelMed")],
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=f"{STUDY}.1",
        BurnedInAnnotation="NO",
        RecognizableVisualFeatures="NO",
        LongitudinalTemporalInformationModified="MODIFIED",
    )
    return put(made, **more)


def starts(dataset: Dataset, data: bytes, syntax: str) -> dict[int, int]:
    """Return tag → offset of each root element in the bytes of a file that is not deflated."""
    order = "little" if UID(syntax).is_little_endian else "big"
    offset, found = 0, {}
    for element in dataset:
        group, number = element.tag.group, element.tag.element
        if order == "little":
            wanted = group.to_bytes(2, "little") + number.to_bytes(2, "little")
        else:
            wanted = group.to_bytes(2, "big") + number.to_bytes(2, "big")
        offset = data.index(wanted, offset)
        found[int(element.tag)] = offset
    return found
