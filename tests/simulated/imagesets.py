"""Image sets as AWS HealthImaging publishes their form, made of data sets: simulated.

Keys are keywords (tags for private elements, with their VRs apart), text values keep the padding
that they have in Part 10, attributes of VM 1 are plain values and all others lists, an empty one is
null; what all instances share stands at the levels that its documentation names.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, Final

from botocore.response import StreamingBody
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VM, keyword_for_tag

PATIENT: Final = frozenset(
    {
        *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
        *("PatientIdentityRemoved", "DeidentificationMethod"),
        "DeidentificationMethodCodeSequence",
        *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialSubjectID"),
    }
)
STUDY: Final = frozenset(
    {
        *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"),
        *("AccessionNumber", "ReferringPhysicianName", "PatientAge"),
        "LongitudinalTemporalInformationModified",
    }
)
SERIES: Final = frozenset(
    {
        *("SeriesInstanceUID", "SeriesNumber", "SeriesDate", "SeriesTime", "SeriesDescription"),
        *("Modality", "BodyPartExamined", "FrameOfReferenceUID", "Manufacturer"),
    }
)
Level = Callable[[str], str]
DATASTORE: Final = "0123456789abcdef0123456789abcdef"
PADDED: Final = frozenset({"AE", "AS", "CS", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def published(keyword: str) -> str:
    """Return the level at which an attribute stands by the documentation."""
    levels = {"Patient": PATIENT, "Study": STUDY, "Series": SERIES}
    return next((name for name, held in levels.items() if keyword in held), "Instance")


def image_set(
    datasets: Iterable[Dataset], level: Level = published, name: str = "a" * 32
) -> dict[str, Any]:
    """Return the metadata of an image set.

    Args:
        datasets: Its instances, of one study.
        level: Keyword → the highest level at which it may stand, if all below state the same.
        name: Its id.
    """
    study: dict[str, Any] = {"DICOM": {}, "Series": {}}
    for dataset in datasets:
        attributes, vrs = keyed(dataset)
        series = study["Series"].setdefault(
            attributes["SeriesInstanceUID"], {"DICOM": {}, "Instances": {}}
        )
        series["Instances"][attributes["SOPInstanceUID"]] = {
            "DICOM": attributes,
            "DICOMVRs": vrs,
            "ImageFrames": [{"ID": "f" * 32, "FrameSizeInBytes": 64, "MinPixelValue": 0}],
            "StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.202",
        }
    patient: dict[str, Any] = {"DICOM": {}}
    for series in study["Series"].values():
        _hoist(series, list(series["Instances"].values()), level, ("Patient", "Study", "Series"))
    _hoist(study, list(study["Series"].values()), level, ("Patient", "Study"))
    _hoist(patient, [study], level, ("Patient",))
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": DATASTORE,
        "ImageSetID": name,
        "Patient": patient,
        "Study": study,
    }


def _hoist(
    upper: dict[str, Any], lower: list[dict[str, Any]], level: Level, levels: tuple[str, ...]
) -> None:
    """Move up what all of the lower levels state alike, if it may stand so high."""
    first = lower[0]["DICOM"] if lower else {}
    shared = [
        key
        for key in first
        if level(key) in levels
        and all(key in one["DICOM"] and one["DICOM"][key] == first[key] for one in lower)
    ]
    upper["DICOM"] |= {key: first[key] for key in shared}
    for one in lower:
        one["DICOM"] = {key: value for key, value in one["DICOM"].items() if key not in shared}


def keyed(dataset: Dataset) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the attributes of a data set by keyword, and the VRs of those without one."""
    found: dict[str, Any] = {}
    vrs: dict[str, str] = {}
    meta = getattr(dataset, "file_meta", None) or ()
    for element in (*meta, *dataset):
        if element.tag == 0x7FE00010:
            continue
        key = keyword_for_tag(element.tag) or f"{element.tag:08X}"
        if key == f"{element.tag:08X}":
            vrs[key] = element.VR
        found[key] = _value(element)
    return found, vrs


def _value(element: DataElement) -> Any:  # noqa: ANN401 - any JSON
    if element.VR == "SQ":
        return [keyed(item)[0] for item in element.value]
    if element.is_empty:
        return None
    listed = list(element.value) if element.VM > 1 else [element.value]
    values = [_plain(one, element.VR) for one in listed]
    if element.VR in PADDED and sum(map(len, values)) + len(values) - 1 & 1:
        values[-1] += " "
    single = dictionary_has_tag(element.tag) and dictionary_VM(element.tag) == "1"
    return values[0] if single and len(values) == 1 else values


def _plain(value: Any, vr: str) -> Any:  # noqa: ANN401 - whatever an element holds
    if isinstance(value, bytes):
        return "AAE="
    if vr in ("US", "SS", "UL", "SL", "FL", "FD", "AT"):
        return value
    return str(getattr(value, "original_string", value) if vr in ("DS", "IS") else value)


def blob(metadata: object) -> StreamingBody:
    """Return metadata as GetImageSetMetadata gives it."""
    return body(gzip.compress(json.dumps(metadata).encode(), mtime=0))


def body(content: bytes, length: int | None = None) -> StreamingBody:
    """Return bytes as the client library gives them."""
    return StreamingBody(BytesIO(content), len(content) if length is None else length)
