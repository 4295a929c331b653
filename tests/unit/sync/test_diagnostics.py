"""Why a server refuses: codes and paths of elements, never a word of its text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.tables import table
from deidfhir.web.diagnostics import Issue, issue_from, issues_of
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import job, many, unit

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
VALIDATOR = "http://hl7.org/fhir/java-core-messageId"


def outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", **one} for one in issues],
    }


def coded(code: object) -> dict[str, Any]:
    return {"details": {"coding": [{"system": VALIDATOR, "code": code}], "text": "PLANTED"}}


@pytest.mark.parametrize(
    ("issue", "codes", "elements"),
    [
        (
            {"diagnostics": "HAPI-1094: Resource Device/PLANTED not found, specified in path: X.y"},
            ("HAPI-1094",),
            (),
        ),
        (
            {"diagnostics": "HAPI-1094: Device/PLANTED, specified in path: Provenance.agent.who"},
            ("HAPI-1094",),
            ("Provenance.agent.who",),
        ),
        (
            {"diagnostics": "in path: ImagingStudy.subject.where(resolve() is Patient)"},
            (),
            ("ImagingStudy.subject",),
        ),
        (
            {"diagnostics": 'HAPI-0450: x HAPI-1821: [element="status"] value "PLANTED"'},
            ("HAPI-0450", "HAPI-1821"),
            ("status",),
        ),
        (coded("Validation_VAL_Profile_Minimum"), ("Validation_VAL_Profile_Minimum",), ()),
        (coded("http://hl7.org/fhir/StructureDefinition/Extension#ext-1"), ("ext-1",), ()),
        (coded("https://x/StructureDefinition/y#deid-subject"), ("deid-subject",), ()),
        (coded("https://x/StructureDefinition/y#deid-planted"), (), ()),
        (coded("MSG_RESOURCE_ID_FAIL"), ("MSG_RESOURCE_ID_FAIL",), ()),
        (coded("PLANTED"), (), ()),
        (coded("Planted_Value"), (), ()),
        (coded(7), (), ()),
        (
            {"expression": ["ImagingStudy.series[0].instance[3].uid"]},
            (),
            ("ImagingStudy.series[0].instance[3].uid",),
        ),
        (
            {"expression": ["ImagingStudy.extension[0].value.ofType(string)"]},
            (),
            ("ImagingStudy.extension[0].value.ofType(string)",),
        ),
        (
            {"location": ["Bundle.entry[2].resource", "Line[1] Col[7]"]},
            (),
            ("Bundle.entry[2].resource",),
        ),
        ({"expression": ["ImagingStudy.where(value = 'PLANTED')"]}, (), ()),
        ({"expression": ["ImagingStudy.planted", "ImagingStudy.value.ofType(planted)"]}, (), ()),
        ({"expression": ["ImagingStudy.status\nPLANTED", "", 7, None]}, (), ()),
        ({"expression": "ImagingStudy.status"}, (), ()),
        ({"details": "PLANTED", "diagnostics": ["PLANTED"]}, (), ()),
    ],
)
def test_of_an_issue_codes_and_elements_are_kept(
    issue: dict[str, Any], codes: tuple[str, ...], elements: tuple[str, ...]
) -> None:
    assert issues_of(outcome(issue)) == (Issue("error", "processing", codes, elements),)


def test_what_speaks_against_nothing_is_left_out_and_each_issue_is_told_once() -> None:
    told = outcome({}, {"severity": "warning"}, {"severity": "PLANTED"}, {}, {"code": "PLANTED"})
    assert issues_of(told) == (Issue("error", "processing"), Issue("error", ""))


@pytest.mark.parametrize("body", [None, {}, {"issue": "PLANTED"}, {"issue": [None, ["PLANTED"]]}])
def test_an_answer_of_another_form_says_nothing(body: dict[str, Any] | None) -> None:
    assert issues_of(body) == ()


def test_a_server_cannot_fill_the_journal() -> None:
    paths = [f"ImagingStudy.series[{number}]" for number in range(100)]
    issues = issues_of(outcome(*({"expression": paths[one:]} for one in range(50))))
    assert len(issues) == 8
    assert {len(one.elements) for one in issues} == {8}


def test_an_issue_is_stored_and_told() -> None:
    issue = Issue("error", "processing", ("HAPI-1094",), ("Provenance.agent.who",))
    assert issue_from(json.loads(json.dumps(issue.as_dict()))) == issue
    assert str(issue) == "error processing HAPI-1094 at Provenance.agent.who"


def test_a_dead_letter_keeps_what_the_server_said_against_it(journal: Journal) -> None:
    why = (Issue("error", "invariant", ("dom-6",), ("ImagingStudy",)),)
    job(many(journal, s1=Rejected(422, "invariant", why))).run([unit(1)])
    (letter,) = journal.dead.every()
    assert isinstance(letter, DeadLetter)
    assert letter.issues == why


def names_in(content: object) -> set[str]:
    """Return the names of all elements."""
    if isinstance(content, list):
        return {name for one in content for name in names_in(one)}
    if isinstance(content, dict):
        inside = {name for one in content.values() for name in names_in(one)}
        return inside | {str(key).lstrip("_") for key in content}
    return set()


def test_every_element_that_we_send_may_be_named() -> None:
    sent = [json.loads(one.read_text("utf-8")) for one in GOLDEN.glob("*/expected.*.json")]
    assert len(sent) > 10
    known = set(table("server-codes.toml")["element"])
    assert names_in(sent) - known == {"resourceType"}
