"""Pathologies 9 to 17: what stands in the text of De-identification Method (0012,0063)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .dicomjson import json_object, write_json
from .objects import code, codes, equipment, put, sop_uid
from .pathology import Pathology, coded, collect, dcm, deidentifier, expect, marked, save
from .vocabulary import (
    DCANON_TEXTS,
    NIFI_TEXTS,
    PACKED_TEXT,
    PIXELMED_TEXTS,
    REFACE_TEXT,
    TCIA_CODES,
    TCIA_TEXT,
)

if TYPE_CHECKING:
    from pathlib import Path

CASES: Final[list[Pathology]] = []
case = collect(CASES)

NLST_TEXTS: Final = ("113100", "113101", "113103", "113105", "113109")
CHAIN_TEXTS: Final = ("DIAG-ANON 0.3", TCIA_TEXT, TCIA_TEXT)
LONG_TEXTS: Final = (
    "Radiopaedia Dicom Anonymizer. github.com/radiopaedia/dicom-anonymiser",
    "grand-challenge-dicom-client-de-identifier:procedure:1.0.0:date:2025-09-01T00:00:00.000Z",
    "Basic Profile - Clean Pixel Data Option - Retain UIDs - Retain Safe Private Option",
    "OAIC_APP11 | SAMI_SCRUB | OP:OPERATOR-1 | UUID:00000000-0000-0000-0000-000000000001",
)
TELLING_TEXTS: Final = (
    "20240115103000",
    "20240115",
    "BatchDeident with BATCH-7.xls",
    "HOST-01.example.org",
    "GENERAL HOSPITAL",
    "CTP: DICOM-S142-Baseline: 20090420:133941",
)


@case(
    9,
    "The codes are packed in the text and there is no code sequence",
    {
        sop_uid(901): expect("removed", ["YES"], [PACKED_TEXT]),
        sop_uid(902): expect("removed", ["YES"], ["DCM:113100"]),
    },
)
def packed_codes(folder: Path) -> None:
    """Write the largest family of real files."""
    save(folder, marked(901, "YES", PACKED_TEXT), marked(902, "YES", "DCM:113100"))


@case(
    10,
    "The same value or the same codes stand there twice",
    {
        sop_uid(1001): expect("removed", ["YES"], [PACKED_TEXT, PACKED_TEXT]),
        sop_uid(1002): expect("removed", ["YES"], [TCIA_TEXT, TCIA_TEXT], dcm("113100", "113105")),
        sop_uid(1003): expect("removed", ["YES"], [TCIA_TEXT], dcm(*TCIA_CODES, *TCIA_CODES)),
    },
)
def written_twice(folder: Path) -> None:
    """Write what a script that appends leaves when it runs again."""
    save(
        folder,
        marked(1001, "YES", (PACKED_TEXT, PACKED_TEXT)),
        marked(1002, "YES", (TCIA_TEXT, TCIA_TEXT), codes("113100", "113105")),
        marked(1003, "YES", TCIA_TEXT, codes(*TCIA_CODES, *TCIA_CODES)),
    )


@case(
    11,
    "Values of the text are bare code values, beside a code sequence",
    {
        sop_uid(1101): expect(
            "removed",
            ["YES"],
            ["113100", "113101", "113103", "113105", "113109"],
            dcm("113100", "113101", "113103", "113105", "113109"),
        )
    },
)
def bare_codes(folder: Path) -> None:
    """Write the pattern of the NLST collection."""
    save(folder, marked(1101, "YES", NLST_TEXTS, codes(*NLST_TEXTS)))


@case(
    12,
    "DICOM JSON has several values in one string with backslashes",
    {
        sop_uid(1201): expect(
            "removed",
            ["YES"],
            ["113100", "113101", "113103", "113105", "113109"],
            [coded("113100")],
        ),
        sop_uid(1202): expect("removed", ["YES"], ["DIAG-ANON 0.3", TCIA_TEXT, TCIA_TEXT]),
    },
)
def unsplit_json(folder: Path) -> None:
    """Write the separator as a static DICOMweb server left it."""
    first = json_object(marked(1201, "YES", "x", codes("113100")))
    first["00120063"]["Value"] = ["\\".join(NLST_TEXTS)]
    second = json_object(marked(1202, "YES", "x"))
    second["00120063"]["Value"] = ["\\".join(CHAIN_TEXTS)]
    write_json([first, second], folder / "1201-unsplit.json")


@case(
    12,
    "Two tools stand in one value, joined by an underscore or a comma",
    {
        sop_uid(1203): expect("removed", ["YES"], [f"{REFACE_TEXT}_Per DICOM PS 3.15 AnnexE"]),
        sop_uid(1204): expect("removed", ["YES"], ["ProCAncer-I Whitelist, mri_reface 0.3.3"]),
    },
)
def joined_values(folder: Path) -> None:
    """Write one value that must stay one: nothing says where a tool's text ends."""
    save(
        folder,
        marked(1203, "YES", f"{REFACE_TEXT}_Per DICOM PS 3.15 AnnexE"),
        marked(1204, "YES", "ProCAncer-I Whitelist, mri_reface 0.3.3"),
    )


@case(
    13,
    "The braces of a template stand in the text",
    {
        sop_uid(1301): expect("removed", ["YES"], ["{Per DICOM PS 3.15 AnnexE}"]),
        sop_uid(1302): expect(
            "removed",
            ["YES"],
            ["{Per DICOM PS 3.15 AnnexE. Details in 0012,0064}"],
            [coded("113100")],
        ),
    },
)
def template_braces(folder: Path) -> None:
    """Write the text of three tools that copied a script's syntax."""
    save(
        folder,
        marked(1301, "YES", "{Per DICOM PS 3.15 AnnexE}"),
        marked(1302, "YES", f"{{{TCIA_TEXT}}}", codes("113100")),
    )


@case(
    14,
    "A value is longer than the 64 characters of LO",
    {
        sop_uid(1401): expect("removed", ["YES"], [LONG_TEXTS[0]]),
        sop_uid(1402): expect("removed", ["YES"], [LONG_TEXTS[1]]),
        sop_uid(1403): expect("removed", ["YES"], [LONG_TEXTS[2]]),
        sop_uid(1404): expect("removed", ["YES"], [LONG_TEXTS[3]], [coded("113100")]),
    },
)
def overlong(folder: Path) -> None:
    """Write four real templates that cannot keep to the limit."""
    made = [marked(1401 + place, "YES", text) for place, text in enumerate(LONG_TEXTS)]
    put(made[3], DeidentificationMethodCodeSequence=codes("113100"))
    save(folder, *made)


@case(
    15,
    "The text points to a code sequence that is not there",
    {
        sop_uid(1501): expect("removed", ["YES"], [TCIA_TEXT]),
        sop_uid(1502): expect("removed", ["YES"], [TCIA_TEXT], []),
    },
)
def dangling_reference(folder: Path) -> None:
    """Write what a tool leaves that strips sequences."""
    save(folder, marked(1501, "YES", TCIA_TEXT), marked(1502, "YES", TCIA_TEXT, []))


@case(
    16,
    "The text is a date, a batch, a file, a host or a hospital",
    {
        sop_uid(1601 + place): expect("removed", ["YES"], [text])
        for place, text in enumerate(TELLING_TEXTS)
    },
)
def telling_texts(folder: Path) -> None:
    """Write texts that may identify, each in its own object."""
    save(folder, *(marked(1601 + place, "YES", t) for place, t in enumerate(TELLING_TEXTS)))


@case(
    17,
    "Several values are one event of one tool, or one event each",
    {
        sop_uid(1701): expect("removed", ["YES"], [*PIXELMED_TEXTS]),
        sop_uid(1702): expect("removed", ["YES"], [*DCANON_TEXTS]),
        sop_uid(1703): expect("removed", ["YES"], ["mri_reface 0.3.4", TCIA_TEXT]),
        sop_uid(1704): expect(
            "removed",
            ["YES"],
            [TCIA_TEXT, *NIFI_TEXTS],
            [*dcm("113100", "113105"), *dcm("113100"), coded("210001", "99PMP")],
            burned_in=["NO"],
            temporal=["MODIFIED"],
            equipment=[
                deidentifier(
                    Manufacturer=["com.blezek.nifi-dicom"],
                    ContributionDateTime=["20181108065830.670-0600"],
                )
            ],
        ),
    },
)
def events(folder: Path) -> None:
    """Write two lists of options and two chains of tools."""
    chain = marked(
        1704,
        "YES",
        (TCIA_TEXT, *NIFI_TEXTS),
        [*codes("113100", "113105", "113100"), code("210001", "99PMP")],
        BurnedInAnnotation="NO",
        LongitudinalTemporalInformationModified="MODIFIED",
        ContributingEquipmentSequence=[
            equipment(
                Manufacturer="com.blezek.nifi-dicom",
                ContributionDateTime="20181108065830.670-0600",
            )
        ],
    )
    save(
        folder,
        marked(1701, "YES", PIXELMED_TEXTS),
        marked(1702, "YES", DCANON_TEXTS),
        marked(1703, "YES", (REFACE_TEXT, TCIA_TEXT)),
        chain,
    )
