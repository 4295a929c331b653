"""Pathologies 25 to 30: items of the De-identification Method Code Sequence (0012,0064)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.uid import ExplicitVRLittleEndian

from .dicomjson import json_object, write_json
from .objects import code, codes, element, encode, item, put, sop_uid, write_bytes
from .pathology import Pathology, coded, collect, dcm, expect, marked, path_of, save
from .rawbytes import explicit_items, relabel
from .vocabulary import MEANINGS, REFACE_MEANING

if TYPE_CHECKING:
    from pathlib import Path

CASES: Final[list[Pathology]] = []
case = collect(CASES)

SOFTWARE_URL: Final = "github.com/mmiv-center/DICOMAnonymizer"
LEGACY: Final = (
    ("113107", "Retain Longitudinal With Modified Dates Option"),
    ("113106", "Retain Longitudinal With Full Dates Option"),
    ("113107", "Retain Longitudinal Temporal Information With Modified Dates"),
    ("113110", "Retain UIDs"),
)
WRONG: Final = (
    ("113112", "Retain Device Identity Option"),
    ("113110", "Retain Safe Private Option"),
    ("113100", "De-identification"),
    ("113040", "Lossy Compression"),
)


@case(
    25,
    "Codes of private or unknown schemes",
    {
        sop_uid(2501): expect("removed", ["YES"], None, [coded("210001", "99PMP")]),
        sop_uid(2502): expect("removed", ["YES"], None, [coded("deface", "mri_reface", "Deface")]),
        sop_uid(2503): expect(
            "removed", ["YES"], None, [coded("113199", "2012CDX", "Basic Anonymization")]
        ),
        sop_uid(2504): expect(
            "removed",
            ["YES"],
            None,
            [coded("113113", "99DCM4CHE", "Retain Patient ID Hash Option")],
        ),
        sop_uid(2505): expect(
            "removed", ["YES"], None, [coded("210002", "99AQST", "Remove all private elements")]
        ),
        sop_uid(2506): expect("removed", ["YES"], None, [coded("113199", "UNKNOWN", "UNKNOWN")]),
    },
)
def private_schemes(folder: Path) -> None:
    """Write one object for each scheme; two of them reuse numbers with another meaning."""
    items = (
        code("210001", "99PMP"),
        code("deface", "mri_reface", "Deface"),
        code("113199", "2012CDX", "Basic Anonymization"),
        code("113113", "99DCM4CHE", "Retain Patient ID Hash Option"),
        code("210002", "99AQST", "Remove all private elements"),
        code("113199", "UNKNOWN", "UNKNOWN"),
    )
    save(folder, *(marked(2501 + place, "YES", None, [it]) for place, it in enumerate(items)))


@case(
    26,
    "Code Values longer than the 16 characters of SH",
    {
        sop_uid(2601): expect(
            "removed",
            ["YES"],
            None,
            [coded("replace_recognizable", "mri_reface", REFACE_MEANING, "0.3.4")],
        ),
        sop_uid(2602): expect(
            "removed",
            ["YES"],
            ["{Per DICOM PS 3.15 AnnexE}"],
            [
                {
                    "CodeValue": ["github.com/mmiv-center/DICOMAnonymizer"],
                    "CodeMeaning": ["Software"],
                }
            ],
        ),
    },
)
def overlong_values(folder: Path) -> None:
    """Write 20 and 38 characters."""
    reface = code("replace_recognizable", "mri_reface", REFACE_MEANING, "0.3.4")
    software = item(CodeValue=SOFTWARE_URL, CodeMeaning="Software")
    save(
        folder,
        marked(2601, "YES", None, [reface]),
        marked(2602, "YES", "{Per DICOM PS 3.15 AnnexE}", [software]),
    )


@case(
    27,
    "One code has a Coding Scheme Version, the others have none",
    {
        sop_uid(2701): expect(
            "removed", ["YES"], None, [coded("113102", version="01"), coded("113100")]
        )
    },
)
def scheme_version(folder: Path) -> None:
    """Write the version that one tool gives to DCM."""
    save(folder, marked(2701, "YES", None, [code("113102", version="01"), code("113100")]))


@case(
    28,
    "Code items lack their parts, or have their codes in the wrong place",
    {
        sop_uid(2801): expect(
            "removed", ["YES"], None, [{"CodeValue": ["113100"]}, {"CodeValue": ["113101"]}]
        ),
        sop_uid(2802): expect(
            "removed", ["YES"], None, [{"CodingSchemeDesignator": ["113100", "113105"]}]
        ),
        sop_uid(2803): expect(
            "removed", ["YES"], None, [{"CodeValue": ["113100"], "CodeMeaning": ["Software"]}]
        ),
        sop_uid(2804): expect(
            "removed", ["YES"], None, [coded("113100"), {}, coded("210005", "99PMP")]
        ),
        sop_uid(2805): expect(
            "removed",
            ["YES"],
            None,
            [{"CodeValue": ["113100"], "CodingSchemeDesignator": [], "CodeMeaning": []}],
        ),
    },
)
def incomplete_items(folder: Path) -> None:
    """Write values alone, codes as DS in the scheme, no scheme, an empty item, empty parts."""
    in_scheme = item()
    in_scheme.add(element("CodingSchemeDesignator", "DS", ["113100", "113105"]))
    save(
        folder,
        marked(2801, "YES", None, [item(CodeValue="113100"), item(CodeValue="113101")]),
        marked(2802, "YES", None, [in_scheme]),
        marked(2803, "YES", None, [item(CodeValue="113100", CodeMeaning="Software")]),
        marked(2804, "YES", None, [code("113100"), item(), code("210005", "99PMP")]),
        marked(2805, "YES", None, [code("113100", "", "")]),
    )


@case(
    28,
    "Code items carry a group length",
    {sop_uid(2806): expect("removed", ["YES"], None, [coded("113100")])},
)
def group_length(folder: Path) -> None:
    """Write (0008,0000) inside an item by hand; pydicom leaves it out."""
    meaning = MEANINGS["113100"].encode() + b" "
    made = marked(2806, "YES")
    value = explicit_items(
        [
            [
                (0x00080000, "UL", (14 + 12 + 8 + len(meaning)).to_bytes(4, "little")),
                (0x00080100, "SH", b"113100"),
                (0x00080102, "SH", b"DCM "),
                (0x00080104, "LO", meaning),
            ]
        ]
    )
    made.add(element("DeidentificationMethodCodeSequence", "OB", value))
    data = encode(made, ExplicitVRLittleEndian)
    data = relabel(data, "DeidentificationMethodCodeSequence", "SQ")
    write_bytes(data, path_of(made, folder))


@case(
    28,
    "DICOM JSON has empty items, group lengths and an empty sequence",
    {
        sop_uid(2807): expect(
            "removed", ["YES"], None, [coded("113100"), {}, coded("210001", "99PMP")]
        ),
        sop_uid(2808): expect("removed", ["YES"], None, []),
    },
)
def json_items(folder: Path) -> None:
    """Write items as two servers do, one group length being a string."""
    first = json_object(
        marked(2807, "YES", None, [code("113100"), item(), code("210001", "99PMP")])
    )
    lengths: tuple[int | str, ...] = (534, "534")
    for place, length in zip((0, 2), lengths, strict=True):
        found = first["00120064"]["Value"][place]
        found["00080000"] = {"vr": "UL", "Value": [length]}
    second = json_object(marked(2808, "YES"))
    second["00120064"] = {"vr": "SQ"}
    write_json([first, second], folder / "2807-items.json")


@case(
    29,
    "Code Meanings are of an earlier edition",
    {
        sop_uid(2901 + place): expect("removed", ["YES"], None, [coded(value, "DCM", meaning)])
        for place, (value, meaning) in enumerate(LEGACY)
    },
)
def legacy_meanings(folder: Path) -> None:
    """Write meanings that are synonyms: the value decides."""
    for place, (value, meaning) in enumerate(LEGACY):
        save(folder, marked(2901 + place, "YES", None, [code(value, "DCM", meaning)]))


@case(
    29,
    "Code Meaning and Code Value do not belong together, or the code is no method",
    {
        sop_uid(2911 + place): expect("removed", ["YES"], None, [coded(value, "DCM", meaning)])
        for place, (value, meaning) in enumerate(WRONG)
    },
)
def wrong_meanings(folder: Path) -> None:
    """Write mistakes of four tools."""
    for place, (value, meaning) in enumerate(WRONG):
        save(folder, marked(2911 + place, "YES", None, [code(value, "DCM", meaning)]))


@case(
    30,
    "Codes are doubled, contradict each other, or contradict the temporal marker",
    {
        sop_uid(3001): expect(
            "removed",
            ["YES"],
            None,
            dcm("113100", "113107", "113100", "113106"),
            temporal=["MODIFIED"],
        ),
        sop_uid(3002): expect("removed", ["YES"], None, dcm("113100", "113106")),
        sop_uid(3003): expect("removed", ["YES"], None, dcm("113100", "113107")),
        sop_uid(3004): expect(
            "removed", ["YES"], None, [*dcm("113100", "113110"), coded("210001", "99PMP")]
        ),
        sop_uid(3005): expect(
            "removed", ["YES"], None, dcm("113100", "113106"), temporal=["REMOVED"]
        ),
    },
)
def contradictory_codes(folder: Path) -> None:
    """Write pairs that no single step could state."""
    both = marked(3001, "YES", None, codes("113100", "113107", "113100", "113106"))
    kept = marked(3005, "YES", None, codes("113100", "113106"))
    save(
        folder,
        put(both, LongitudinalTemporalInformationModified="MODIFIED"),
        marked(3002, "YES", None, codes("113100", "113106")),
        marked(3003, "YES", None, codes("113100", "113107")),
        marked(3004, "YES", None, [*codes("113100", "113110"), code("210001", "99PMP")]),
        put(kept, LongitudinalTemporalInformationModified="REMOVED"),
    )
