"""Builders of small de-identified DICOM objects; the same call gives the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pydicom import DataElement, Dataset, config, dcmwrite
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from .vocabulary import MEANINGS, PMP_MEANINGS

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.tag import BaseTag

ROOT: Final = "1.2.826.0.1.3680043.8.498.62"
IMPLEMENTATION_CLASS: Final = f"{ROOT}.0"
IMPLEMENTATION_VERSION: Final = "SYNTHETIC_1"

SOP_CLASSES: Final = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "OT": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.33",
    "DOC": "1.2.840.10008.5.1.4.1.1.104.1",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "RWV": "1.2.840.10008.5.1.4.1.1.67",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
}
WITHOUT_PIXELS: Final = frozenset({"SR", "DOC", "RWV", "RTSTRUCT"})
SIXTEEN_BITS: Final = frozenset({"CT", "MR", "PT"})
"""Modalities whose IODs enumerate 16 as the only Bits Allocated."""

PREAMBLE_LENGTH: Final = 132
"""The 128 bytes of the preamble and the prefix `DICM`."""


def study_uid(study: int) -> str:
    """Return the Study Instance UID of a study number."""
    return f"{ROOT}.{study}"


def series_uid(study: int, series: int = 1) -> str:
    """Return the Series Instance UID of a series of a study."""
    return f"{ROOT}.{study}.{series}"


def sop_uid(study: int, series: int = 1, number: int = 1) -> str:
    """Return the SOP Instance UID that `instance` gives for the same numbers."""
    return f"{ROOT}.{study}.{series}.{number}"


def element(tag: str | int, vr: str, value: object) -> DataElement:
    """Make a data element of any VR and value, unvalidated: tools write what the standard forbids.

    Args:
        tag: The keyword or the tag number.
        vr: The VR to write, also a wrong one.
        value: The value; a list of items for a sequence.
    """
    return DataElement(tag_of(tag), vr, value, validation_mode=config.IGNORE)


def put(dataset: Dataset, **attributes: object) -> Dataset:
    """Set attributes by keyword, unvalidated; None takes the attribute away.

    Args:
        dataset: The data set or item to change.
        attributes: Values by DICOM keyword; a tuple stands for several values.
    """
    for keyword, value in attributes.items():
        tag = tag_of(keyword)
        dataset.pop(tag, None)
        if value is not None:
            plain = list(value) if isinstance(value, tuple) else value
            dataset.add(element(tag, dictionary_VR(tag), plain))
    return dataset


def item(**attributes: object) -> Dataset:
    """Make an item, or a small data set, of the attributes given by keyword."""
    return put(Dataset(), **attributes)


def code(
    value: str, scheme: str = "DCM", meaning: str | None = None, version: str | None = None
) -> Dataset:
    """Make an item of the code sequence macro (PS3.3 8.8); the usual meaning by default."""
    usual = PMP_MEANINGS if scheme == "99PMP" else MEANINGS
    return item(
        CodeValue=value,
        CodingSchemeDesignator=scheme,
        CodingSchemeVersion=version,
        CodeMeaning=usual[value] if meaning is None else meaning,
    )


def codes(*values: str) -> list[Dataset]:
    """Make items of DCM codes with the meanings of CID 7050."""
    return [code(value) for value in values]


def equipment(purpose: str | Dataset = "109104", **attributes: object) -> Dataset:
    """Make an item of the Contributing Equipment Sequence (PS3.3 C.12.1).

    Args:
        purpose: A DCM code value, or a whole code item.
        attributes: Further attributes of the item, by keyword.
    """
    reference = code(purpose) if isinstance(purpose, str) else purpose
    return item(**{"PurposeOfReferenceCodeSequence": [reference]} | attributes)


def instance(
    study: int = 1,
    series: int = 1,
    number: int = 1,
    *,
    modality: str = "CT",
    sop_class: str | None = None,
    **attributes: object,
) -> Dataset:
    """Make a small object as a de-identifier leaves it: replaced Patient ID, emptied names.

    Args:
        study: The study's number, part of all UIDs and of the Patient ID.
        series: The Series Number.
        number: The Instance Number.
        modality: One of `SOP_CLASSES` unless `sop_class` is given.
        sop_class: The SOP Class UID; that of the modality by default.
        attributes: Further attributes by keyword, replacing the defaults; None takes one away.
    """
    made = put(
        _emptied(),
        SOPClassUID=SOP_CLASSES[modality] if sop_class is None else sop_class,
        SOPInstanceUID=sop_uid(study, series, number),
        Modality=modality,
        PatientName=f"SUBJ-{study:04}",
        PatientID=f"SUBJ-{study:04}",
        StudyInstanceUID=study_uid(study),
        SeriesInstanceUID=series_uid(study, series),
        SeriesNumber=str(series),
        InstanceNumber=str(number),
    )
    if modality not in WITHOUT_PIXELS:
        _add_pixels(made, modality, number)
    return put(made, **attributes)


def _emptied() -> Dataset:
    """Make the Type 2 attributes that the Basic Profile empties (PS3.15 Table E.1-1)."""
    return item(
        SpecificCharacterSet="ISO_IR 100",
        StudyDate="",
        StudyTime="",
        AccessionNumber="",
        Manufacturer="",
        ReferringPhysicianName="",
        PatientBirthDate="",
        PatientSex="",
        StudyID="",
    )


def _add_pixels(dataset: Dataset, modality: str, number: int) -> None:
    """Add a 4x4 picture whose values tell the Instance Number."""
    width = 2 if modality in SIXTEEN_BITS else 1
    put(
        dataset,
        ImageType=("DERIVED", "PRIMARY"),
        FrameOfReferenceUID=f"{dataset.StudyInstanceUID}.999",
        ImagePositionPatient=("0", "0", str(number)),
        ImageOrientationPatient=("1", "0", "0", "0", "1", "0"),
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=4,
        Columns=4,
        PixelSpacing=("1", "1"),
        BitsAllocated=8 * width,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
    )
    grey = bytes((16 * number + place) % 256 for place in range(16))
    pixels = b"".join(bytes((value,)).ljust(width, b"\0") for value in grey)
    dataset.add(element("PixelData", "OW" if width > 1 else "OB", pixels))


def write(
    dataset: Dataset,
    path: Path,
    transfer_syntax: str = ExplicitVRLittleEndian,
    *,
    preamble: bool = True,
    meta: bool = True,
    undefined_length: bool = False,
) -> Path:
    """Write a Part 10 file, byte for byte the same each time, and return its path.

    Args:
        dataset: The object to write; it is left unchanged.
        path: The file; its folder is made if need be.
        transfer_syntax: Any transfer syntax UID; pixel data of an encapsulated one become one
            fragment that no decoder would accept.
        preamble: False leaves out the 128 bytes and the prefix `DICM`.
        meta: False leaves out the File Meta Information too: a bare data set.
        undefined_length: Write all sequences and items with delimiters instead of lengths.
    """
    data = encode(dataset, transfer_syntax, undefined_length=undefined_length)
    if not meta:
        data = data[_meta_end(data) :]
    elif not preamble:
        data = data[PREAMBLE_LENGTH:]
    return write_bytes(data, path)


def encode(dataset: Dataset, transfer_syntax: str, *, undefined_length: bool = False) -> bytes:
    """Return the bytes of the Part 10 file of an object."""
    syntax = UID(transfer_syntax)
    plain = _copy(dataset, undefined_length=undefined_length)
    if syntax.is_compressed and syntax.is_encapsulated and "PixelData" in plain:
        fragment = bytes(plain.PixelData)
        del plain.PixelData
        plain.add(element("PixelData", "OB", encapsulate([fragment], has_bot=True)))
        plain["PixelData"].is_undefined_length = True
    file = FileDataset("", plain, preamble=b"\0" * 128)
    file.file_meta = FileMetaDataset()
    put(
        file.file_meta,
        MediaStorageSOPClassUID=str(plain.get("SOPClassUID", "")),
        MediaStorageSOPInstanceUID=str(plain.get("SOPInstanceUID", "")),
        TransferSyntaxUID=syntax,
        ImplementationClassUID=IMPLEMENTATION_CLASS,
        ImplementationVersionName=IMPLEMENTATION_VERSION,
    )
    buffer = BytesIO()
    # pydicom copies the meta information when it writes, and would warn of a UID meant to be wrong.
    with config.disable_value_validation():
        dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


def write_bytes(data: bytes, path: Path) -> Path:
    """Write bytes that were assembled or spoilt by hand, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tag_of(tag: str | int) -> BaseTag:
    """Return the tag of a keyword or number."""
    number = tag_for_keyword(tag) if isinstance(tag, str) else tag
    if number is None:
        msg = f"no such keyword: {tag}"
        raise ValueError(msg)
    return Tag(number)


def _copy(dataset: Dataset, *, undefined_length: bool) -> Dataset:
    """Copy a data set and its items, with lengths or delimiters at every depth."""
    copied = Dataset()
    for found in dataset:
        if found.VR == "SQ":
            items = [_copy(nested, undefined_length=undefined_length) for nested in found.value]
            for nested in items:
                nested.is_undefined_length_sequence_item = undefined_length
            sequence = element(found.tag, "SQ", items)
            sequence.is_undefined_length = undefined_length
            copied.add(sequence)
        else:
            copied.add(found)
    return copied


def _meta_end(data: bytes) -> int:
    """Return where the data set begins, by the group length of the meta information."""
    value = PREAMBLE_LENGTH + 8
    length = int.from_bytes(data[value : value + 4], "little")
    return value + 4 + length
