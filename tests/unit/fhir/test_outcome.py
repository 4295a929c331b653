"""Findings as OperationOutcome: what FHIR takes, and no value of an attribute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.config import Settings
from deidfhir.fhir.check import check_whole
from deidfhir.fhir.outcome import operation_outcome
from deidfhir.fhir.versions import FHIR_NAMES, FhirName, fhir_version
from deidfhir.model.finding import Finding
from deidfhir.tables import table
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

SYSTEM = "https://deidfhir.example/fhir/CodeSystem/deidentification-finding"
# FHIR valueset-issue-type.html, those of R4 that R5 has, too.
ISSUES = {
    *("invalid", "structure", "required", "value", "invariant", "security", "processing"),
    *("not-supported", "duplicate", "code-invalid", "business-rule", "conflict", "transient"),
    *("no-store", "exception", "incomplete", "informational", "suppressed", "deleted"),
    *("login", "not-found", "timeout", "too-long", "too-costly", "throttled", "forbidden"),
}


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_every_finding_makes_an_outcome_that_fhir_takes(fhir: FhirName) -> None:
    every = [Finding(code, "in/1.dcm") for code in table("findings.toml")]
    outcome = operation_outcome(every, Settings().canonical)
    check_whole(outcome, fhir_version(fhir))
    assert len(outcome["issue"]) == len(every)
    assert {one["code"] for one in outcome["issue"]} <= ISSUES
    assert {one["severity"] for one in outcome["issue"]} <= {"error", "warning", "information"}


def test_an_issue_says_what_what_to_do_and_where() -> None:
    (issue,) = operation_outcome([Finding("truncated", "in/1.dcm")] * 2, Settings().canonical)[
        "issue"
    ]
    assert issue == {
        "severity": "error",
        "code": "incomplete",
        "details": {
            "coding": [{"system": SYSTEM, "code": "truncated"}],
            "text": "the file ends inside its header",
        },
        "diagnostics": "in/1.dcm: copy the file again from its source (PS3.10 7.1)",
    }


@pytest.mark.parametrize("fhir", FHIR_NAMES)
def test_no_finding_is_said_too_for_an_outcome_has_an_issue(fhir: FhirName) -> None:
    outcome = operation_outcome([], Settings().canonical)
    check_whole(outcome, fhir_version(fhir))
    assert [one["severity"] for one in outcome["issue"]] == ["information"]


def test_show_map_and_sync_tell_the_same_findings(cli: Cli, tmp_path: Path) -> None:
    write(instance(1, PatientIdentityRemoved="YES"), tmp_path / "in" / "1.dcm")
    (tmp_path / "in" / "2.dcm").write_bytes(b"")
    shown = cli("show", tmp_path / "in", "--json").report["outcome"]
    synced = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json").report["outcome"]
    run = cli("map", tmp_path / "in", "--findings", tmp_path / "findings.json")
    mapped = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    codes = {one["details"]["coding"][0]["code"] for one in shown["issue"]}
    assert codes == {"file-empty", "method-missing"}
    assert shown == synced == mapped
    assert all(line["resourceType"] == "Bundle" for line in run.lines)


def test_findings_that_cannot_be_written_are_told(cli: Cli, tmp_path: Path) -> None:
    write(instance(1, PatientIdentityRemoved="YES"), tmp_path / "in" / "1.dcm")
    run = cli("map", tmp_path / "in", "--findings", tmp_path / "no" / "findings.json")
    assert run.code == 1
    assert str(tmp_path / "no" / "findings.json") in run.err
