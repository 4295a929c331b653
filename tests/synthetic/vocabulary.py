"""Words that de-identifying tools write, verbatim (PS3.16 CID 7050 and CID 7005; real tools)."""

from __future__ import annotations

from typing import Final

MEANINGS: Final = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
    "109101": "Acquisition Equipment",
    "109102": "Processing Equipment",
    "109103": "Modifying Equipment",
    "109104": "De-identifying Equipment",
}
"""Meanings of the DCM codes used here, as CID 7050 and CID 7005 print them."""

PMP_MEANINGS: Final = {
    "210001": "Remap UIDs",
    "210002": "Retain all private elements",
    "210004": "Remove all descriptors",
    "210005": "Retain all descriptors unchanged",
    "210006": "Retain institution identity",
}
"""Meanings of PixelMed's private codes, scheme 99PMP."""

TCIA_TEXT: Final = "Per DICOM PS 3.15 AnnexE. Details in 0012,0064"
TCIA_CODES: Final = (
    "113100",
    "113101",
    "113104",
    "113105",
    "113107",
    "113108",
    "113109",
    "113111",
)
PACKED_TEXT: Final = "DCM:113100/113105/113107/113108/113109/113111"
PIXELMED_TEXTS: Final = (
    "Deidentified",
    "Descriptors removed",
    "Patient Characteristics removed",
    "Device identity removed",
    "Institution identity removed",
    "Dates modified",
    "Unsafe private removed",
    "UIDs remapped",
)
NIFI_TEXTS: Final = (
    "Deidentified",
    "Descriptors retained",
    "Patient Characteristics retained",
    "Device identity retained",
    "Institution identity retained",
    "Dates retained",
    "All private retained",
    "UIDs remapped",
)
DCANON_TEXTS: Final = (
    "dcanon",
    "no identifiers",
    "keep descriptions",
    "keep manufacturer",
    "keep retired",
    "keep private",
    "no uids",
    "no pet demographics",
    "keep dates",
    "dcdtchg change dates",
)
REFACE_TEXT: Final = "mri_reface 0.3.4"
REFACE_MEANING: Final = "Replace face, ears, and artifacts in air"
