"""Pathologies 31 to 34: items of the Contributing Equipment Sequence (0018,A001)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .objects import code, codes, equipment, instance, put, sop_uid
from .pathology import Pathology, coded, collect, deidentifier, expect, marked, save
from .vocabulary import TCIA_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from .pathology import Item

CASES: Final[list[Pathology]] = []
case = collect(CASES)


@case(
    31,
    "Equipment of another purpose stands beside YES",
    {
        sop_uid(3101): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")], equipment=[]),
        sop_uid(3102): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")], equipment=[]),
        sop_uid(3103): expect(
            "removed",
            ["YES"],
            [TCIA_TEXT],
            [coded("113100")],
            equipment=[deidentifier(Manufacturer=["PixelMed"])],
        ),
    },
)
def other_purposes(folder: Path) -> None:
    """Write a viewer's and an archive's item, and a de-identifier between two others."""
    viewer = equipment("109102", DeviceSerialNumber="999999")
    archive = equipment("109103", Manufacturer="SECTRA", ContributionDateTime="20120126150316")
    items = (
        [viewer],
        [archive],
        [equipment("109101", Manufacturer="SCANNER"), equipment(Manufacturer="PixelMed"), archive],
    )
    for place, sequence in enumerate(items):
        made = marked(3101 + place, "YES", TCIA_TEXT, codes("113100"))
        save(folder, put(made, ContributingEquipmentSequence=sequence))


@case(
    32,
    "A de-identifier's item has a date as its version, or lacks parts",
    {
        sop_uid(3201): expect(
            "removed",
            ["YES"],
            equipment=[
                deidentifier(
                    Manufacturer=["PixelMed"],
                    StationName=["STATION_11112"],
                    ManufacturerModelName=["DicomCleaner"],
                    SoftwareVersions=["Thu Apr 19 11:14:42 EDT 2018"],
                    ContributionDateTime=["20180803160127.284+0100"],
                    ContributionDescription=["Cleaned"],
                )
            ],
        ),
        sop_uid(3202): expect(
            "removed",
            ["YES"],
            equipment=[
                deidentifier(
                    Manufacturer=["OHIF"],
                    ManufacturerModelName=["Download Manager Client-Side Anonymizer"],
                    ContributionDescription=["De-identified in-browser prior to download"],
                )
            ],
        ),
        sop_uid(3203): expect(
            "removed",
            ["YES"],
            equipment=[deidentifier(Manufacturer=[], SoftwareVersions=["1.0", "build 7"])],
        ),
        sop_uid(3204): expect("removed", ["YES"], equipment=[deidentifier()]),
    },
)
def odd_deidentifiers(folder: Path) -> None:
    """Write a full item, one without date and version, one almost empty, the purpose alone."""
    items = (
        equipment(
            Manufacturer="PixelMed",
            StationName="STATION_11112",
            ManufacturerModelName="DicomCleaner",
            SoftwareVersions="Thu Apr 19 11:14:42 EDT 2018",
            ContributionDateTime="20180803160127.284+0100",
            ContributionDescription="Cleaned",
        ),
        equipment(
            Manufacturer="OHIF",
            ManufacturerModelName="Download Manager Client-Side Anonymizer",
            ContributionDescription="De-identified in-browser prior to download",
        ),
        equipment(Manufacturer="", SoftwareVersions=("1.0", "build 7")),
        equipment(),
    )
    for place, found in enumerate(items):
        save(folder, put(marked(3201 + place, "YES"), ContributingEquipmentSequence=[found]))


@case(
    33,
    "A de-identifier's item has the purpose 113100 instead of 109104, or none",
    {
        sop_uid(3301): expect(
            "removed",
            ["YES"],
            None,
            [coded("113100", "DCM", "De-identification")],
            burned_in=["NO"],
            equipment=[],
        ),
        sop_uid(3302): expect("removed", ["YES"], equipment=[]),
        sop_uid(3303): expect("removed", ["YES"], equipment=[]),
    },
)
def wrong_purpose(folder: Path) -> None:
    """Write the wrong code, no purpose at all, and an empty purpose."""
    wrong = code("113100", meaning="De-identification")
    made = marked(3301, "YES", None, [wrong], BurnedInAnnotation="NO")
    put(made, ContributingEquipmentSequence=[equipment(wrong, Manufacturer="SAMI")])
    none = equipment(Manufacturer="SAMI", PurposeOfReferenceCodeSequence=None)
    empty = equipment(Manufacturer="SAMI", PurposeOfReferenceCodeSequence=[])
    save(
        folder,
        made,
        put(marked(3302, "YES"), ContributingEquipmentSequence=[none]),
        put(marked(3303, "YES"), ContributingEquipmentSequence=[empty]),
    )


def _batch(fraction: str) -> Item:
    """State the item of one instance of the batch below."""
    return deidentifier(
        Manufacturer=["PixelMed"],
        ManufacturerModelName=["DicomCleaner"],
        SoftwareVersions=["Thu Apr 19 11:14:42 EDT 2018"],
        ContributionDateTime=[f"20180803160127.{fraction}+0100"],
    )


@case(
    34,
    "One batch: the items differ in a fraction of a second alone",
    {
        sop_uid(3401, 1, 1): expect(
            "removed", ["YES"], ["Deidentified"], equipment=[_batch("284")]
        ),
        sop_uid(3401, 1, 2): expect(
            "removed", ["YES"], ["Deidentified"], equipment=[_batch("595")]
        ),
        sop_uid(3401, 2, 1): expect(
            "removed", ["YES"], ["Deidentified"], equipment=[_batch("907")]
        ),
    },
)
def one_batch(folder: Path) -> None:
    """Write three instances of two series of one study."""
    for series, number, fraction in ((1, 1, "284"), (1, 2, "595"), (2, 1, "907")):
        save(folder, _batch_instance(series, number, fraction))


def _batch_instance(series: int, number: int, fraction: str) -> Dataset:
    """Make an instance cleaned within the same second as the others."""
    return instance(
        3401,
        series,
        number,
        PatientIdentityRemoved="YES",
        DeidentificationMethod="Deidentified",
        ContributingEquipmentSequence=[
            equipment(
                Manufacturer="PixelMed",
                ManufacturerModelName="DicomCleaner",
                SoftwareVersions="Thu Apr 19 11:14:42 EDT 2018",
                ContributionDateTime=f"20180803160127.{fraction}+0100",
            )
        ],
    )
