"""Pathologies 1 to 6: value representations, padding, transfer syntaxes, forms of sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from .dicomjson import json_object, write_json
from .objects import codes, element, encode, equipment, put, sop_uid, write_bytes
from .pathology import Pathology, coded, collect, dcm, deidentifier, expect, marked, path_of, save
from .rawbytes import implicit_items, relabel
from .vocabulary import PACKED_TEXT, TCIA_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

CASES: Final[list[Pathology]] = []
case = collect(CASES)

GDCM_TEXT: Final = "BASIC APPLICATION LEVEL CONFIDENTIALITY PROFILE"


@case(
    1,
    "Longitudinal Temporal Information Modified has VR SH",
    {sop_uid(101): expect("removed", ["YES"], [PACKED_TEXT], temporal=["MODIFIED"])},
)
def temporal_as_sh(folder: Path) -> None:
    """Write the wrong VR where the reader sees it: explicit little endian."""
    made = marked(101, "YES", PACKED_TEXT)
    made.add(element("LongitudinalTemporalInformationModified", "SH", "MODIFIED"))
    save(folder, made)


@case(
    2,
    "Markers have VR UN in explicit little endian",
    {
        sop_uid(201): expect("removed", ["YES"], [TCIA_TEXT], temporal=["MODIFIED"]),
        sop_uid(202): expect("removed", ["YES"], None, [coded("113100")]),
    },
)
def markers_as_un(folder: Path) -> None:
    """Write texts, a private block and a whole sequence as UN."""
    texts = marked(201)
    texts.add(element(0x00130010, "LO", "CTP"))
    _save_as_un(
        folder,
        texts,
        {
            "PatientIdentityRemoved": b"YES ",
            "DeidentificationMethod": TCIA_TEXT.encode(),
            "LongitudinalTemporalInformationModified": b"MODIFIED",
            0x00131010: b"SYNTHETIC ",
        },
    )
    value = implicit_items(
        [
            [
                (0x00080100, "SH", b"113100"),
                (0x00080102, "SH", b"DCM "),
                (0x00080104, "LO", b"Basic Application Confidentiality Profile "),
            ]
        ]
    )
    _save_as_un(folder, marked(202, "YES"), {"DeidentificationMethodCodeSequence": value})


def _save_as_un(folder: Path, dataset: Dataset, values: dict[str | int, bytes]) -> None:
    """Write elements as UN: as OB first, since pydicom gives a known tag its own VR back."""
    for tag, value in values.items():
        dataset.add(element(tag, "OB", value))
    data = encode(dataset, ExplicitVRLittleEndian)
    for tag in values:
        data = relabel(data, tag, "UN")
    write_bytes(data, path_of(dataset, folder))


@case(
    2,
    "No VR on the wire: implicit little endian",
    {
        sop_uid(203): expect(
            "removed", ["YES"], [TCIA_TEXT], dcm("113100", "113107"), temporal=["MODIFIED"]
        )
    },
)
def implicit(folder: Path) -> None:
    """Write what most older archives hold."""
    made = marked(203, "YES", TCIA_TEXT, codes("113100", "113107"))
    put(made, LongitudinalTemporalInformationModified="MODIFIED")
    save(folder, made, transfer_syntax=ImplicitVRLittleEndian)


@case(
    2,
    "DICOM JSON has a marker as UN: inline, or by reference so that its value is not at hand",
    {
        sop_uid(204): expect("removed", ["YES"], [TCIA_TEXT], temporal=["MODIFIED"]),
        sop_uid(205): expect("removed", ["YES"], [TCIA_TEXT], temporal=[]),
    },
)
def json_un(folder: Path) -> None:
    """Write InlineBinary and BulkDataURI as WADO-RS servers do for UN."""
    inline = json_object(marked(204, "YES", TCIA_TEXT))
    inline["00280303"] = {"vr": "UN", "InlineBinary": "TU9ESUZJRUQ="}
    by_reference = json_object(marked(205, "YES", TCIA_TEXT))
    by_reference["00280303"] = {"vr": "UN", "BulkDataURI": "../bulk/00280303"}
    write_json([inline, by_reference], folder / "204-un.json")


@case(
    3,
    "Values end in NUL or spaces, and one begins with a space",
    {
        sop_uid(301): expect(
            "removed",
            ["YES"],
            ["dcanon", " keep dates", "no uids"],
            [coded("113100")],
            burned_in=["NO"],
            temporal=["MODIFIED"],
            equipment=[deidentifier(Manufacturer=["PixelMed"])],
        )
    },
)
def padded(folder: Path) -> None:
    """Write padding at the end, in the middle of several values, and inside items."""
    made = marked(
        301,
        "YES\0",
        ("dcanon ", " keep dates \0", "no uids\0"),
        codes("113100"),
        BurnedInAnnotation="NO    ",
        LongitudinalTemporalInformationModified="MODIFIED\0\0",
        ContributingEquipmentSequence=[equipment(Manufacturer="PixelMed\0")],
    )
    put(made.DeidentificationMethodCodeSequence[0], CodingSchemeDesignator="DCM\0")
    made.add(element(0x00130010, "LO", "CTP"))
    made.add(element(0x00131010, "LO", "SYNTHETIC\0"))
    save(folder, made)


@case(
    4,
    "Markers are present but empty",
    {
        sop_uid(401): expect("removed", ["YES"], []),
        sop_uid(402): expect("removed", ["YES"], ["HIPAA_SAFE_HARBOR_AUTOMATED"], []),
        sop_uid(403): expect("removed", ["YES"], []),
        sop_uid(404): expect("removed", ["YES"], ["Deidentified", "", "UIDs remapped"]),
        sop_uid(405): expect("unknown", [], [TCIA_TEXT], temporal=[], equipment=[]),
    },
)
def empty(folder: Path) -> None:
    """Write zero lengths, padding alone, an empty value among others, no items."""
    save(
        folder,
        marked(401, "YES", ""),
        marked(402, "YES", "HIPAA_SAFE_HARBOR_AUTOMATED", []),
        marked(403, "YES", "  "),
        marked(404, "YES", ("Deidentified", "", "UIDs remapped")),
        marked(
            405,
            "",
            TCIA_TEXT,
            LongitudinalTemporalInformationModified="",
            ContributingEquipmentSequence=[],
        ),
    )


@case(
    5,
    "Transfer syntaxes other than plain little endian",
    {
        sop_uid(500 + number): expect("removed", ["YES"], [GDCM_TEXT], [coded("113100")])
        for number in range(1, 6)
    },
)
def transfer_syntaxes(folder: Path) -> None:
    """Write big endian, deflated, and three whose pixel data are in fragments."""
    syntaxes = (
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEG2000Lossless,
        JPEGLSLossless,
    )
    for number, syntax in enumerate(syntaxes, start=1):
        made = marked(500 + number, "YES", GDCM_TEXT, codes("113100"), modality="OT")
        save(folder, made, transfer_syntax=syntax)


@case(
    5,
    "Objects that are no images",
    {
        sop_uid(510 + number): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")])
        for number in range(1, 6)
    },
)
def other_objects(folder: Path) -> None:
    """Write a report, a PDF, an RT structure set, a segmentation and a value map."""
    for number, modality in enumerate(("SR", "DOC", "RTSTRUCT", "SEG", "RWV"), start=1):
        made = marked(510 + number, "YES", TCIA_TEXT, codes("113100"), modality=modality)
        if modality == "DOC":
            put(made, MIMETypeOfEncapsulatedDocument="application/pdf")
            put(made, EncapsulatedDocument=b"%PDF-1.4\n%%EOF\n")
        save(folder, made)


@case(
    6,
    "Sequences with lengths and sequences with delimiters",
    {
        sop_uid(600 + number): expect(
            "removed",
            ["YES"],
            [TCIA_TEXT],
            dcm("113100", "113101"),
            equipment=[deidentifier(Manufacturer=["com.blezek.nifi-dicom"])],
        )
        for number in range(1, 5)
    },
)
def sequence_forms(folder: Path) -> None:
    """Write both forms, with VRs and without."""
    forms = (
        (ExplicitVRLittleEndian, False),
        (ExplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, False),
        (ImplicitVRLittleEndian, True),
    )
    for number, (syntax, undefined) in enumerate(forms, start=1):
        made = marked(600 + number, "YES", TCIA_TEXT, codes("113100", "113101"))
        item = equipment(Manufacturer="com.blezek.nifi-dicom")
        put(made, ContributingEquipmentSequence=[item])
        save(folder, made, transfer_syntax=syntax, undefined_length=undefined)
