"""Pathologies 7 and 8: what stands around the markers is broken, absent or nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .objects import codes, element, encode, put, sop_uid, write, write_bytes
from .pathology import Pathology, coded, collect, expect, marked, path_of, save
from .rawbytes import ITEM, relabel
from .vocabulary import TCIA_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

CASES: Final[list[Pathology]] = []
case = collect(CASES)

HEX_UID: Final = "0123456789abcdef" * 4
"""As a tool makes UIDs that hashes them: 64 digits, no OID."""


@case(
    7,
    "An unrelated sequence is malformed",
    {
        sop_uid(701): expect("removed", ["YES"]),
        sop_uid(702): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")]),
        sop_uid(703): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")]),
    },
)
def malformed_neighbour(folder: Path) -> None:
    """Write one without items, one with an item that is too long, one that does not end."""
    inner = b"\x08\x00\x00\x01SH\x06\x00121327"
    before = marked(701, "YES")
    _save_malformed(folder, before, "DerivationCodeSequence", b"\x01\x02\x03")
    after = marked(702, "YES", TCIA_TEXT, codes("113100"))
    overrun = ITEM + b"\xff\x00\x00\x00" + inner
    _save_malformed(folder, after, "CTDIPhantomTypeCodeSequence", overrun)
    # Behind all markers and UIDs, so that a reader who stops in time never meets it.
    endless = marked(703, "YES", TCIA_TEXT, codes("113100"))
    whole = ITEM + len(inner).to_bytes(4, "little") + inner
    _save_malformed(folder, endless, "RequestAttributesSequence", whole, undefined_length=True)


def _save_malformed(
    folder: Path, dataset: Dataset, keyword: str, value: bytes, *, undefined_length: bool = False
) -> None:
    """Write an object with a sequence whose value is given as bytes."""
    dataset.add(element(keyword, "OB", value))
    data = encode(dataset, ExplicitVRLittleEndian)
    data = relabel(data, keyword, "SQ", undefined_length=undefined_length)
    write_bytes(data, path_of(dataset, folder))


@case(
    8,
    "Modality, patient or character set are absent, empty or nonsense",
    {
        sop_uid(800 + number): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")])
        for number in range(1, 6)
    }
    | {HEX_UID: expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")])},
)
def odd_neighbours(folder: Path) -> None:
    """Write everything around the markers as found: missing, emptied, hashed."""
    changes: tuple[dict[str, str | None], ...] = (
        {"Modality": None},
        {"Modality": "James Bond2"},
        {"PatientID": "", "PatientName": ""},
        {"PatientID": None, "PatientName": None},
        {"SpecificCharacterSet": None},
    )
    for number, change in enumerate(changes, start=1):
        made = marked(800 + number, "YES", TCIA_TEXT, codes("113100"))
        save(folder, put(made, **change))
    hashed = put(marked(806, "YES", TCIA_TEXT, codes("113100")), SOPInstanceUID=HEX_UID)
    write(hashed, folder / "806-1-1.dcm")


@case(
    8,
    "The preamble is missing, or all of the file's head",
    {
        sop_uid(807): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")]),
        sop_uid(808): expect("removed", ["YES"], [TCIA_TEXT], [coded("113100")]),
    },
)
def headless(folder: Path) -> None:
    """Write a file that begins with group 2, and a bare data set."""
    save(folder, marked(807, "YES", TCIA_TEXT, codes("113100")), preamble=False)
    bare = marked(808, "YES", TCIA_TEXT, codes("113100"))
    save(folder, bare, transfer_syntax=ImplicitVRLittleEndian, meta=False)
