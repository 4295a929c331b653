"""The sample studies: what known tools leave in a study of two to five instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .objects import code, codes, element, equipment, instance
from .vocabulary import (
    NIFI_TEXTS,
    PACKED_TEXT,
    PIXELMED_TEXTS,
    REFACE_MEANING,
    REFACE_TEXT,
    TCIA_CODES,
    TCIA_TEXT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydicom import Dataset

PLACES: Final = ((1, 1), (1, 2), (2, 1), (2, 2))
"""Series number and Instance Number of a study of two series."""


def tcia_ct() -> Iterator[Dataset]:
    """Yield a TCIA study: eight codes, shifted dates, cleaned descriptions, CTP's block."""
    for series, number in PLACES:
        made = instance(
            1,
            series,
            number,
            StudyDate="20000612",
            StudyTime="101500",
            SeriesDate="20000612",
            SeriesTime=f"10{15 + series}00",
            StudyDescription="CT CHEST W/O CONTRAST",
            SeriesDescription=f"AXIAL {series}.0 MM",
            BodyPartExamined="CHEST",
            ReferringPhysicianName="SUBJECT^TWO",
            PatientIdentityRemoved="YES",
            DeidentificationMethod=TCIA_TEXT,
            DeidentificationMethodCodeSequence=codes(*TCIA_CODES),
            LongitudinalTemporalInformationModified="MODIFIED",
        )
        made.add(element(0x00130010, "LO", "CTP"))
        made.add(element(0x00131010, "LO", "SYNTHETIC-CT"))
        yield made


def full_dates_mr() -> Iterator[Dataset]:
    """Yield a study that kept its true dates and its descriptions."""
    for number in (1, 2):
        yield instance(
            2,
            1,
            number,
            modality="MR",
            StudyDate="20210304",
            StudyTime="083000",
            SeriesDate="20210304",
            SeriesTime="084000",
            StudyDescription="MR HEAD",
            SeriesDescription="T1 AXIAL",
            BodyPartExamined="HEAD",
            PatientIdentityRemoved="YES",
            DeidentificationMethod=TCIA_TEXT,
            DeidentificationMethodCodeSequence=codes("113100", "113101", "113105", "113106"),
            BurnedInAnnotation="NO",
            LongitudinalTemporalInformationModified="UNMODIFIED",
        )


def _cleaner(when: str) -> Dataset:
    """Make the equipment item of PixelMed DicomCleaner."""
    return equipment(
        Manufacturer="PixelMed",
        StationName="STATION_11112",
        ManufacturerModelName="DicomCleaner",
        SoftwareVersions="Thu Apr 19 11:14:42 EDT 2018",
        ContributionDateTime=when,
        ContributionDescription="Cleaned",
    )


def pixelmed_with_equipment() -> Iterator[Dataset]:
    """Yield one batch of DicomCleaner: the items differ in a fraction of a second alone."""
    for number, fraction in enumerate((".284", ".595", ".907"), start=1):
        yield instance(
            3,
            1,
            number,
            modality="CR",
            PatientIdentityRemoved="YES",
            DeidentificationMethod=PIXELMED_TEXTS,
            DeidentificationMethodCodeSequence=[
                code("113100"),
                code("210004", "99PMP"),
                code("113107"),
                code("113111"),
                code("210001", "99PMP"),
            ],
            ContributingEquipmentSequence=[_cleaner(f"20180803160127{fraction}+0100")],
        )


def two_tools_in_turn() -> Iterator[Dataset]:
    """Yield a chain told by text alone: defaced first, then de-identified for TCIA."""
    for series, number in PLACES:
        yield instance(
            4,
            series,
            number,
            modality="MR",
            PatientIdentityRemoved="YES",
            DeidentificationMethod=(REFACE_TEXT, TCIA_TEXT),
            DeidentificationMethodCodeSequence=[
                code("113102", version="01"),
                code("replace_recognizable", "mri_reface", REFACE_MEANING, "0.3.4"),
                *codes("113100", "113107", "113111"),
            ],
            RecognizableVisualFeatures="NO",
            LongitudinalTemporalInformationModified="MODIFIED",
        )


def two_equipment_items() -> Iterator[Dataset]:
    """Yield a chain told by two equipment items, beside one of another purpose."""
    for number in (1, 2):
        yield instance(
            5,
            1,
            number,
            PatientIdentityRemoved="YES",
            DeidentificationMethod=(*PIXELMED_TEXTS, *NIFI_TEXTS),
            DeidentificationMethodCodeSequence=[
                *codes("113100", "113107", "113111"),
                *codes("113100", "113108", "113109"),
                code("210001", "99PMP"),
            ],
            ContributingEquipmentSequence=[
                equipment("109103", Manufacturer="SECTRA", ContributionDateTime="20120126150316"),
                _cleaner(f"20180803160127.{number}84+0100"),
                equipment(
                    Manufacturer="com.blezek.nifi-dicom",
                    StationName="nifi-dicom",
                    ManufacturerModelName="nifi-dicom",
                    SoftwareVersions="1.0",
                    ContributionDateTime=f"2018110806583{number}.670-0600",
                    ContributionDescription="Deidentified and Redacted",
                ),
            ],
        )


def codes_in_text() -> Iterator[Dataset]:
    """Yield a LIDC style study: the codes stand in the text, and no code sequence."""
    for number in (1, 2, 3):
        made = instance(
            6,
            1,
            number,
            StudyDate="20000101",
            StudyDescription="CT THORAX",
            PatientIdentityRemoved="YES",
            DeidentificationMethod=PACKED_TEXT,
        )
        # The tool of this family wrote the VR SH where the standard has CS.
        made.add(element("LongitudinalTemporalInformationModified", "SH", "MODIFIED"))
        yield made


def yes_without_method() -> Iterator[Dataset]:
    """Yield a study that says YES and nothing else."""
    for number in (1, 2):
        yield instance(7, 1, number, modality="US", PatientIdentityRemoved="YES")


def not_removed() -> Iterator[Dataset]:
    """Yield a study as a scanner writes it: identity not removed."""
    for number in (1, 2):
        yield instance(
            8,
            1,
            number,
            modality="MR",
            PatientName="SUBJECT^ONE",
            StudyDate="20240105",
            PatientIdentityRemoved="NO",
            BurnedInAnnotation="NO",
            ContributingEquipmentSequence=[equipment("109102", DeviceSerialNumber="999999")],
        )


def mixed_states() -> Iterator[Dataset]:
    """Yield a study whose instances were not all de-identified."""
    method: dict[str, Any] = {
        "DeidentificationMethod": TCIA_TEXT,
        "DeidentificationMethodCodeSequence": codes("113100", "113105"),
    }
    yield instance(9, 1, 1, PatientIdentityRemoved="YES", **method)
    yield instance(9, 1, 2, PatientIdentityRemoved="YES")
    yield instance(9, 1, 3)
    yield instance(9, 2, 1, modality="OT", PatientIdentityRemoved="NO")
    yield instance(
        9, 2, 2, modality="OT", PatientIdentityRemoved="YES", BurnedInAnnotation="YES", **method
    )


def unknown_no_marker() -> Iterator[Dataset]:
    """Yield a study without any marker."""
    for number in (1, 2):
        yield instance(10, 1, number)


def dicom_json() -> Iterator[Dataset]:
    """Yield the study whose WADO-RS metadata are written."""
    for series, number in PLACES[:3]:
        yield instance(
            11,
            series,
            number,
            modality="PT",
            StudyDate="20000612",
            SeriesDescription="PET WB",
            PatientIdentityRemoved="YES",
            DeidentificationMethod="RSNA DICOM ANONYMIZER",
            DeidentificationMethodCodeSequence=codes("113100", "113107", "113108"),
        )


def non_ascii_utf8() -> Iterator[Dataset]:
    """Yield a study in UTF-8 with text beyond ASCII in a marker and in a description."""
    for number in (1, 2):
        yield instance(
            12,
            1,
            number,
            SpecificCharacterSet="ISO_IR 192",
            SeriesDescription="Tórax sem contraste / 胸部",
            PatientIdentityRemoved="YES",
            DeidentificationMethod="HIPAA § 164.514(b)(2) Safe Harbor / DICOM PS 3.15 Annex E",
            DeidentificationMethodCodeSequence=codes("113100", "113105"),
        )


STUDIES: Final[dict[str, Callable[[], Iterator[Dataset]]]] = {
    "tcia-ct": tcia_ct,
    "full-dates-mr": full_dates_mr,
    "pixelmed-with-equipment": pixelmed_with_equipment,
    "two-tools-in-turn": two_tools_in_turn,
    "two-equipment-items": two_equipment_items,
    "codes-in-text": codes_in_text,
    "yes-without-method": yes_without_method,
    "not-removed": not_removed,
    "mixed-states": mixed_states,
    "unknown-no-marker": unknown_no_marker,
    "non-ascii-utf8": non_ascii_utf8,
}
"""The studies written as files, by the name of their folder."""
