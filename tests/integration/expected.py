"""What must come back from a server, as the survey's MANIFEST and the synthetic cases list it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag

from deidfhir import MASKED, Item, Markers

Plain = dict[str, Any]
"""Marker values by keyword, items as dictionaries of lists."""

FIELDS = {
    "PatientIdentityRemoved": "patient_identity_removed",
    "DeidentificationMethod": "method",
    "DeidentificationMethodCodeSequence": "method_code",
    "BurnedInAnnotation": "burned_in_annotation",
    "RecognizableVisualFeatures": "recognizable_visual_features",
    "LongitudinalTemporalInformationModified": "longitudinal_temporal_information_modified",
}
# D4: what of an equipment item leaves only with one of these codes, or never.
NEEDS = {
    "StationName": "113109",
    "DeviceSerialNumber": "113109",
    "DeviceUID": "113109",
    "UDISequence": "113109",
    "InstitutionName": "113112",
    "InstitutionAddress": "113112",
    "InstitutionalDepartmentName": "113112",
    "InstitutionalDepartmentTypeCodeSequence": "113112",
    "OperatorsName": "never",
    "OperatorIdentificationSequence": "never",
}
# What the MANIFEST does not list, or what D23 keeps away: it has no SOP Instance UID.
NOT_LISTED = {"wado_metadata_tcia.dicom.json": {"BurnedInAnnotation": ["NO"]}}
WITHOUT_UID = "ms_tool_output_I341_newconfig.dcm"


@dataclass(frozen=True)
class Row:
    """One file of the MANIFEST."""

    file: str
    study: str
    instance: str
    markers: Plain

    @property
    def verdict(self) -> str:
        """The verdict by D1, told from the listed values alone."""
        return verdict_of(self.markers)


def manifest(folder: Path) -> list[Row]:
    """Return what the MANIFEST lists of each file that has the UIDs that D23 wants."""
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    found = []
    for row in rows:
        study, instance = _uids(folder / row["file"])
        listed = dict.fromkeys((*FIELDS, "ContributingEquipmentSequence")) | {
            keyword_for_tag(tag.replace(",", "")): _content(content)
            for tag, content in json.loads(row["values_json"]).items()
        }
        listed.update(NOT_LISTED.get(row["file"], {}))
        found.append(Row(row["file"], study, instance, listed))
    return found


def _uids(path: Path) -> tuple[str, str]:
    if path.suffix == ".json":
        content = json.loads(path.read_bytes())
        (one,) = content if isinstance(content, list) else [content]
        return one["0020000D"]["Value"][0], one["00080018"]["Value"][0]
    wanted = ["StudyInstanceUID", "SOPInstanceUID"]
    dataset = dcmread(path, force=True, specific_tags=wanted, stop_before_pixels=True)
    # As raw bytes: pydicom warns of the UIDs that are no OID.
    found: list[Any] = [dataset.get_item(keyword) for keyword in wanted]
    study, instance = [one.value.decode().rstrip("\0 ") for one in found]
    return study, instance


def _content(listed: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the values or items of one element, in whichever of its three ways it is listed."""
    if listed is None:
        return None
    content: list[Any] = next(
        (listed[key] for key in ("Value", "values", "items") if key in listed), []
    )
    return [_item(one) if isinstance(one, dict) else str(one) for one in content]


def _item(listed: Plain) -> Plain:
    found: Plain = {}
    for key, content in listed.items():
        if key in ("00080000", "GenericGroupLength"):
            continue
        if isinstance(content, dict):
            found[keyword_for_tag(key)] = _content(content)
        else:
            every = content if isinstance(content, list) else [content]
            found[key] = [_item(one) if isinstance(one, dict) else one for one in every]
    return found


def within_d4(markers: Plain, equipment: str = "ContributingEquipmentSequence") -> Plain:
    """Return what of the listed values may leave, with None for what is withheld but marked."""
    codes = {
        value
        for item in markers["DeidentificationMethodCodeSequence"] or ()
        for value in item.get("CodeValue", ())
    }
    items = [one for one in markers[equipment] or () if _deidentifies(one)]
    leaving = {keyword: markers[keyword] for keyword in FIELDS}
    leaving["ContributingEquipmentSequence"] = [
        {
            keyword: content if keyword not in NEEDS or NEEDS[keyword] in codes else None
            for keyword, content in item.items()
        }
        for item in items
    ]
    return leaving


def _deidentifies(item: Plain) -> bool:
    purposes = item.get("PurposeOfReferenceCodeSequence", ())
    return any(one.get("CodeValue") == ["109104"] for one in purposes)


def verdict_of(markers: Plain) -> str:
    """Return the verdict by D1."""
    word = "".join(markers["PatientIdentityRemoved"] or ()).upper()
    burned = "".join(markers["BurnedInAnnotation"] or ()).upper()
    method = markers["DeidentificationMethod"] or markers["DeidentificationMethodCodeSequence"]
    if word == "YES":
        return "contradictory" if burned == "YES" else "removed"
    if word == "NO":
        return "contradictory" if method else "not-removed"
    return "unknown"


def plain(markers: Markers) -> Plain:
    """Return markers that were read back in the form of `within_d4`."""
    found: Plain = {}
    for keyword, field in FIELDS.items():
        content = getattr(markers, field)
        found[keyword] = None if content is None else [_plain_item(one) for one in content]
    found["ContributingEquipmentSequence"] = [_plain_item(one) for one in markers.equipment]
    return found


def _plain_item(one: Item | str) -> Any:  # noqa: ANN401 - values or items
    if isinstance(one, str):
        return one
    return {
        keyword: None if content is MASKED else [_plain_item(part) for part in content]
        for keyword, content in one.elements
        if not isinstance(content, type(MASKED)) or content is MASKED
    }


def folded(verdicts: Iterable[str]) -> str:
    """Return the verdict of a study by D2."""
    found = set(verdicts)
    return found.pop() if len(found) == 1 else "mixed"
