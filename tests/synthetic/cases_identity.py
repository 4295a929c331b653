"""Pathologies 18 to 24: Patient Identity Removed (0012,0062) against the other markers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .dicomjson import json_object, write_json
from .objects import codes, equipment, put, sop_uid
from .pathology import Pathology, coded, collect, dcm, expect, marked, path_of, save
from .vocabulary import DCANON_TEXTS, TCIA_TEXT

if TYPE_CHECKING:
    from pathlib import Path

CASES: Final[list[Pathology]] = []
case = collect(CASES)


@case(
    18,
    "YES stands alone, against its Type 1C companions",
    {sop_uid(1801): expect("removed", ["YES"])},
)
def yes_alone(folder: Path) -> None:
    """Write what scripts leave that take the method away."""
    save(folder, marked(1801, "YES"))


@case(
    19,
    "Method or codes are there, but not Patient Identity Removed",
    {
        sop_uid(1901): expect("unknown", None, ["DICOGNITO_BHSCT"]),
        sop_uid(1902): expect(
            "unknown",
            None,
            ["RSNA Covid-19 Dataset Default"],
            dcm("113100", "113107", "113108", "113109"),
        ),
        sop_uid(1903): expect(
            "unknown", None, ["ProCAncer-I Whitelist"], dcm("113100", "113107", "113108")
        ),
        sop_uid(1904): expect("unknown", None, ["Penn_BSC_profile_v3.0"]),
        sop_uid(1905): expect("unknown", None, None, dcm("113100")),
    },
)
def method_without_yes(folder: Path) -> None:
    """Write five families from which YES must not be inferred."""
    save(
        folder,
        marked(1901, None, "DICOGNITO_BHSCT"),
        marked(
            1902,
            None,
            "RSNA Covid-19 Dataset Default",
            codes("113100", "113107", "113108", "113109"),
        ),
        marked(1903, None, "ProCAncer-I Whitelist", codes("113100", "113107", "113108")),
        marked(1904, None, "Penn_BSC_profile_v3.0"),
        marked(1905, None, None, codes("113100")),
    )


@case(
    20,
    "NO, alone or together with a method",
    {
        sop_uid(2001): expect("not-removed", ["NO"]),
        sop_uid(2002): expect("contradictory", ["NO"], [TCIA_TEXT]),
        sop_uid(2003): expect("contradictory", ["NO"], None, [coded("113100")]),
        sop_uid(2004): expect("not-removed", ["NO"], [], []),
    },
)
def identity_not_removed(folder: Path) -> None:
    """Write a scanner's NO, two contradictions, and a NO beside markers that are empty."""
    save(
        folder,
        marked(2001, "NO", modality="MR"),
        marked(2002, "NO", TCIA_TEXT),
        marked(2003, "NO", None, codes("113100")),
        marked(2004, "NO", "", []),
    )


@case(
    20,
    "DICOM JSON says NO beside a full method",
    {sop_uid(2005): expect("contradictory", ["NO"], [TCIA_TEXT], dcm("113100", "113105"))},
)
def json_no_with_method(folder: Path) -> None:
    """Write one JSON object alone, as edited by hand."""
    made = marked(2005, "NO", TCIA_TEXT, codes("113100", "113105"))
    write_json(json_object(made), path_of(made, folder, "json"))


@case(
    21,
    "Only the temporal marker is there: identity was put back in",
    {
        sop_uid(2101): expect("unknown", None, temporal=["MODIFIED"]),
        sop_uid(2102): expect("unknown", None, temporal=["MODIFIED"], equipment=[]),
    },
)
def temporal_alone(folder: Path) -> None:
    """Write the pattern of a collection with made-up identities."""
    alone = marked(2101, PatientName="SUBJECT^ONE")
    touched = marked(2102, PatientName="SUBJECT^ONE")
    put(touched, ContributingEquipmentSequence=[equipment("109103", Manufacturer="SECTRA")])
    for made in (alone, touched):
        put(made, LongitudinalTemporalInformationModified="MODIFIED")
    save(folder, alone, touched)


@case(
    22,
    "Burned In Annotation contradicts, or has no proper value",
    {
        sop_uid(2201): expect("contradictory", ["YES"], [TCIA_TEXT], burned_in=["YES"]),
        sop_uid(2202): expect("not-removed", ["NO"], burned_in=["YES"]),
        sop_uid(2203): expect("removed", ["YES"], [TCIA_TEXT], burned_in=["OTHER"]),
        sop_uid(2204): expect("removed", ["YES"], [TCIA_TEXT], burned_in=[]),
        sop_uid(2205): expect("removed", ["YES"], [TCIA_TEXT], recognizable=["YES"]),
    },
)
def burned_in(folder: Path) -> None:
    """Write all values seen, and recognizable features that change no verdict."""
    save(
        folder,
        marked(2201, "YES", TCIA_TEXT, modality="US", BurnedInAnnotation="YES"),
        marked(2202, "NO", modality="US", BurnedInAnnotation="YES"),
        marked(2203, "YES", TCIA_TEXT, modality="US", BurnedInAnnotation="OTHER"),
        marked(2204, "YES", TCIA_TEXT, modality="US", BurnedInAnnotation=""),
        marked(2205, "YES", TCIA_TEXT, modality="US", RecognizableVisualFeatures="YES"),
    )


@case(
    23,
    "YES is written Yes, and what is neither YES nor NO says nothing",
    {
        sop_uid(2301): expect("removed", ["Yes"], ["vaib_deid_v1.0.1"]),
        sop_uid(2302): expect("unknown", ["TRUE"], ["vaib_deid_v1.0.1"]),
    },
)
def letter_case(folder: Path) -> None:
    """Write a recipe's spelling, and a word that no real file was seen to have."""
    save(folder, marked(2301, "Yes", "vaib_deid_v1.0.1"), marked(2302, "TRUE", "vaib_deid_v1.0.1"))


@case(
    23,
    "DICOM JSON has Yes without a VR",
    {sop_uid(2303): expect("removed", ["Yes"], ["vaib_deid_v1.0.1"])},
)
def json_letter_case(folder: Path) -> None:
    """Write elements as in a recipe's fixture, the key `vr` left out."""
    made = marked(2303, "Yes", "vaib_deid_v1.0.1")
    found = json_object(made)
    for tag in ("00120062", "00120063"):
        del found[tag]["vr"]
    write_json(found, path_of(made, folder, "json"))


@case(
    24,
    "A derived object inherits the markers of its source",
    {
        sop_uid(2401): expect("removed", ["YES"], [*DCANON_TEXTS], equipment=[]),
        sop_uid(2402): expect("removed", ["YES"], [*DCANON_TEXTS]),
    },
)
def inherited(folder: Path) -> None:
    """Write a segmentation and a value map whose makers copied the Patient Module."""
    segmentation = marked(2401, "YES", DCANON_TEXTS, modality="SEG")
    maker = equipment("109103", Manufacturer="highdicom", SoftwareVersions="0.22.0")
    put(segmentation, ContributingEquipmentSequence=[maker])
    save(folder, segmentation, marked(2402, "YES", DCANON_TEXTS, modality="RWV"))
