"""What is mapped of a study whose identity is removed may be given away as a target holds it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.judging import Decision, Judgement, study_uid_of
from tests.golden.test_golden import CASES


def judged(made: MappedStudy, context: MappingContext, **elements: Any) -> Decision:  # noqa: ANN401
    """Return the decision about what was made of a study, as a target gives it back."""
    study = json.loads(json.dumps(made.imaging_study)) | {"meta": {"versionId": "7"}} | elements
    provenances = tuple(json.loads(json.dumps(made.provenances)))
    meta = {**study["meta"], "security": made.imaging_study["meta"].get("security", [])}
    meta["profile"] = made.imaging_study["meta"]["profile"]
    uid = study_uid_of(study)
    return Judgement(
        {**study, "meta": meta}, uid, provenances, made.patient, None, context
    ).decision()


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("patient", ["reference", "resource"])
def test_every_golden_study_that_states_removed_may_be_given_away(
    version: FhirName,
    patient: Any,  # noqa: ANN401
) -> None:
    context = MappingContext(version, Settings(patient=patient, label="PSEUDED"))
    allowed = 0
    for case in CASES:
        for study in read_paths([case / "input"]).studies:
            found = judged(map_study(study, context), context)
            assert (found.reason, found.detail) == (study.verdict.value, ""), case.name
            assert found.version == ("7" if study.verdict is Verdict.REMOVED else "")
            allowed += found.is_allowed
    assert allowed > 10


@pytest.mark.parametrize(
    "elements",
    [
        {"series": "none"},
        {"series": [None]},
        {"extension": "none"},
        {"extension": [{"url": 7}]},
        {"subject": []},
        {"numberOfInstances": 9},
        {"numberOfSeries": "x"},
        {"meta": {"tag": [{"code": "SUBSETTED"}]}},
    ],
    ids=str,
)
def test_what_has_another_form_than_ours_is_not_given_away(elements: dict[str, Any]) -> None:
    context = MappingContext()
    (study,) = read_paths([case / "input" for case in CASES if case.name == "tcia-study"]).studies
    made = map_study(study, context)
    assert judged(made, context).is_allowed
    if "meta" in elements:
        kept = json.loads(json.dumps(made.imaging_study)) | elements
        about = made.provenances
        found = Judgement(kept, study.uid, about, None, None, context).decision()
    else:
        found = judged(made, context, **elements)
    assert found.reason == "outdated"


def test_an_imaging_study_with_several_uids_is_of_none() -> None:
    system = "urn:dicom:uid"
    one, other = ({"system": system, "value": value} for value in ("urn:oid:1.2", "1.3"))
    same = {"system": system, "value": "1.2"}
    assert study_uid_of({"identifier": [one, same, {"system": "x", "value": "9"}]}) == "1.2"
    assert study_uid_of({"identifier": [one, other]}) == ""
    assert study_uid_of({}) == ""
