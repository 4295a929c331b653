"""What is mapped of a study whose identity is removed may be given away as a target holds it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.enriched import enriched
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.study import MappedStudy, foreign_provenances, map_study
from deidfhir.model.study import Study
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


def test_what_someone_put_beside_the_words_of_a_narrative_is_not_given_away() -> None:
    context = MappingContext()
    (study,) = read_paths([case / "input" for case in CASES if case.name == "tcia-study"]).studies
    made = map_study(study, context)
    text = made.imaging_study["text"]
    assert judged(made, context, text=text).is_allowed
    added = {**text, "extension": [{"url": "https://x.example/of", "valueString": "someone"}]}
    assert judged(made, context, text=added).reason == "outdated"


def test_an_imaging_study_with_several_uids_is_of_none() -> None:
    system = "urn:dicom:uid"
    one, other = ({"system": system, "value": value} for value in ("urn:oid:1.2", "1.3"))
    same = {"system": system, "value": "1.2"}
    assert study_uid_of({"identifier": [one, same, {"system": "x", "value": "9"}]}) == "1.2"
    assert study_uid_of({"identifier": [one, other]}) == ""
    assert study_uid_of({}) == ""


def beside(study: Study, context: MappingContext, *, enriches: bool) -> Judgement:
    """Return what is known of someone else's ImagingStudy of a study, where ours stands by it."""
    theirs: dict[str, Any] = {
        "resourceType": "ImagingStudy",
        "id": "pacs",
        "meta": {"versionId": "7", "lastUpdated": "2024-01-01T00:00:00Z"},
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}],
        "series": [
            {"uid": uid, "instance": [{"uid": one.sop_instance_uid} for one in members]}
            for uid, members in study.series().items()
        ],
    }
    about = foreign_provenances(study, Foreign.of(theirs, enriched=enriches), context)
    later = {"lastUpdated": "2024-01-02T00:00:00Z"}
    dated = [{**one, "meta": {**one["meta"], **later}} for one in json.loads(json.dumps(about))]
    if enriches:
        changed = enriched(theirs, map_study(study, context).imaging_study, study, context)
        theirs = json.loads(json.dumps(changed))
    return Judgement(theirs, study.uid, tuple(dated), None, None, context)


@pytest.mark.parametrize("enriches", [False, True])
def test_every_golden_study_beside_someone_elses_is_as_it_is_stated(*, enriches: bool) -> None:
    context, allowed = MappingContext(), 0
    for case in CASES:
        for study in read_paths([case / "input"]).studies:
            if study.verdict is not Verdict.REMOVED and not enriches:
                continue  # what is not removed has no place there
            found = beside(study, context, enriches=enriches).decision()
            assert (found.reason, found.detail) == (study.verdict.value, ""), case.name
            allowed += found.is_allowed
    assert allowed > 10


@pytest.mark.parametrize("markers_too", [False, True])
def test_a_verdict_that_someone_changed_on_someone_elses_counts_no_more(
    *, markers_too: bool
) -> None:
    context, changed = MappingContext(), 0
    for case in CASES:
        for study in read_paths([case / "input"]).studies:
            if study.verdict is not Verdict.MIXED:
                continue
            found = beside(study, context, enriches=True)
            text = json.dumps(found.study)
            for verdict in ("unknown", "not-removed", "contradictory"):
                was = json.dumps({"url": "verdict", "valueCode": verdict})
                text = text.replace(was, json.dumps({"url": "verdict", "valueCode": "removed"}))
            if markers_too:
                text = text.replace('"valueString": "NO"', '"valueString": "YES"')
            decision = replace(found, study=json.loads(text)).decision()
            assert decision.reason == "outdated", case.name
            changed += 1
    assert changed
