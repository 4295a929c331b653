"""`POST /verdict`: the verdict with its reasons and findings, of objects and of resources."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.fhir.versions import FHIR_NAMES, FhirName
from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.gate import parse_accept
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, FHIR, asked, codes, part10, related

REMOVED: dict[str, Any] = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1.0"}
CASES: list[tuple[dict[str, Any], str, list[str]]] = [
    (REMOVED, "removed", ["identity-removed-yes"]),
    ({"PatientIdentityRemoved": "NO"}, "not-removed", ["identity-removed-no"]),
    ({}, "unknown", ["identity-removed-absent"]),
]


def judged(*objects: dict[str, Any], gateway: Gateway | None = None) -> dict[str, Any]:
    """Return the answer about objects of one study."""
    made = [part10(instance(1, 1, n, **one)) for n, one in enumerate(objects, start=1)]
    headers, body = related(*[("application/dicom", one) for one in made])
    with asked(gateway) as client:
        answer = client.post("/verdict", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(("stated", "verdict", "reasons"), CASES)
def test_one_object_has_its_verdict_and_the_reasons(
    stated: dict[str, Any], verdict: str, reasons: list[str]
) -> None:
    found = judged(stated)
    assert (found["verdict"], found["reasons"]) == (verdict, reasons)
    assert found["accepted"] is (verdict == "removed")
    assert found["instances"] == [{"verdict": verdict, "reasons": reasons}]


def test_a_study_of_several_verdicts_is_mixed_and_counts_them() -> None:
    found = judged(REMOVED, {"PatientIdentityRemoved": "NO"})
    assert (found["verdict"], found["accepted"]) == ("mixed", False)
    (study,) = found["studies"]
    assert study["study"] == "#1"
    assert study["refusal"] == "not-accepted"
    assert {one: n for one, n in study["verdicts"].items() if n} == {"removed": 1, "not-removed": 1}


def test_what_is_accepted_is_what_the_gate_lets_pass() -> None:
    context = MappingContext().accepting(parse_accept("all"))
    found = judged({"PatientIdentityRemoved": "NO"}, gateway=Gateway(context))
    assert (found["verdict"], found["accepted"]) == ("not-removed", True)


def test_findings_are_told_as_in_reports() -> None:
    found = judged({"PatientIdentityRemoved": "YES"})
    assert [one["code"] for one in found["findings"]] == ["method-missing"]


@pytest.mark.parametrize("fhir", FHIR_NAMES)
@pytest.mark.parametrize(("stated", "verdict", "reasons"), CASES)
def test_resources_have_the_verdict_of_what_they_were_made_of(
    fhir: FhirName, stated: dict[str, Any], verdict: str, reasons: list[str]
) -> None:
    context = MappingContext(fhir).accepting(parse_accept("all"))
    with asked(Gateway(context)) as client:
        body = part10(instance(1, **stated))
        bundle = client.post("/map", content=body, headers=DICOM)
        found = client.post("/verdict", content=bundle.content, headers=FHIR).json()
    assert (found["verdict"], found["reasons"]) == (verdict, reasons)
    assert found["studies"][0]["study"] == "#1"


def test_of_an_imagingstudy_that_states_nothing_nothing_is_known() -> None:
    study = (
        b'{"resourceType":"ImagingStudy","status":"available","subject":{},"series":['
        b'{"uid":"1.2","modality":{"code":"CT"},"instance":[{"uid":"1.3","sopClass":{}}]}]}'
    )
    with asked() as client:
        answer = client.post("/verdict", content=study, headers=FHIR)
    assert answer.json()["verdict"] == "unknown"
    assert answer.json()["accepted"] is False


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "resource-broken"),
        (b"[]", 400, "resource-broken"),
        (b'{"resourceType":"Patient"}', 400, "resource-broken"),
        (b"[" * 100_000, 400, "resource-broken"),
        (b'{"resourceType":"Bundle"}', 422, "study-missing"),
        (b'{"resourceType":"Bundle","entry":[{}]}', 422, "study-missing"),
        (b'{"resourceType":"ImagingStudy","series":3}', 422, "statement-unreadable"),
    ],
)
def test_what_is_no_resource_to_judge_is_refused(body: bytes, status: int, code: str) -> None:
    with asked() as client:
        answer = client.post("/verdict", content=body, headers=FHIR)
    assert (answer.status_code, codes(answer)) == (status, [code])
