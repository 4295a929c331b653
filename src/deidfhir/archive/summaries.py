"""Which image sets of AWS HealthImaging are of the studies that are wanted.

Its search takes one attribute at a time and knows few; so what it tells of each image set is
matched here, as PS3.4 C.2.2.2 has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deidfhir.errors import UsageError
from deidfhir.model.uid import is_usable

# Keyword and tag → where the summary of an image set has it.
_TOLD = {
    **dict.fromkeys(("StudyDate", "00080020"), "DICOMStudyDate"),
    **dict.fromkeys(("StudyTime", "00080030"), "DICOMStudyTime"),
    **dict.fromkeys(("AccessionNumber", "00080050"), "DICOMAccessionNumber"),
    **dict.fromkeys(("Modality", "00080060"), "DICOMSeriesModality"),
    **dict.fromkeys(("ModalitiesInStudy", "00080061"), "DICOMSeriesModality"),
    **dict.fromkeys(("StudyDescription", "00081030"), "DICOMStudyDescription"),
    **dict.fromkeys(("PatientName", "00100010"), "DICOMPatientName"),
    **dict.fromkeys(("PatientID", "00100020"), "DICOMPatientId"),
    **dict.fromkeys(("PatientBirthDate", "00100030"), "DICOMPatientBirthDate"),
    **dict.fromkeys(("PatientSex", "00100040"), "DICOMPatientSex"),
    **dict.fromkeys(("BodyPartExamined", "00180015"), "DICOMSeriesBodyPart"),
    **dict.fromkeys(("StudyInstanceUID", "0020000D"), "DICOMStudyInstanceUID"),
    **dict.fromkeys(("SeriesInstanceUID", "0020000E"), "DICOMSeriesInstanceUID"),
    **dict.fromkeys(("StudyID", "00200010"), "DICOMStudyId"),
    **dict.fromkeys(("SeriesNumber", "00200011"), "DICOMSeriesNumber"),
}
_RANGED = ("DICOMStudyDate", "DICOMStudyTime", "DICOMPatientBirthDate")
_LISTED = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a search tells of one image set.

    Args:
        image_set: Its id.
        tags: What it tells of the DICOM attributes, by the names that the service gives them.
    """

    image_set: str
    tags: Mapping[str, Any]

    @property
    def study(self) -> str:
        """Study Instance UID; empty if none is told that can be used."""
        uid = str(self.tags.get("DICOMStudyInstanceUID", "")).strip(" \0")
        return uid if is_usable(uid) else ""

    @property
    def instances(self) -> int | None:
        """How many instances are told of, if any."""
        found = self.tags.get("DICOMNumberOfStudyRelatedInstances")
        return found if isinstance(found, int) else None


def require_known(matching: Mapping[str, str]) -> None:
    """Look whether a search tells all that is to be matched.

    Raises:
        UsageError: `ahi-filter`.
    """
    for key in matching:
        if key not in _TOLD:
            known = ", ".join(one for one in _TOLD if not one[0].isdigit())
            raise UsageError("ahi-filter", key=key, known=known)


def fits(summaries: Sequence[Summary], matching: Mapping[str, str]) -> bool:
    """Whether a study is wanted: each key is matched by one of its image sets at least.

    Args:
        summaries: Of all of its image sets.
        matching: Keyword or tag → what it must match.
    """
    return all(
        _fits((one.tags for one in summaries), _TOLD[key], matching[key]) for key in matching
    )


def _fits(told: Iterable[Mapping[str, Any]], name: str, wanted: str) -> bool:
    values = [str(tags.get(name) or "").strip(" \0") for tags in told]
    if not wanted:  # universal matching
        return True
    if name in _LISTED:
        return any(one in re.split(r"[\\,]", wanted) for one in values)
    if name in _RANGED and "-" in wanted:
        first, _, last = wanted.partition("-")
        return any(one and first <= one and _up_to(one, last) for one in values)
    pattern = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in wanted)
    return any(re.fullmatch(pattern, one, re.DOTALL) for one in values)


def _up_to(value: str, last: str) -> bool:
    # 10 as the end of a range of times is all of that hour.
    return not last or value[: len(last)] <= last
