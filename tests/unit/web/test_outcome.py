"""What a server says of a request: its code, never its text."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from deidfhir.web.outcome import Rejected, server_code, written


def issue(diagnostics: object = "", code: object = "") -> dict[str, Any]:
    """Return an OperationOutcome with one issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}],
    }


def storage(code: str) -> dict[str, Any]:
    """Return the outcome of one entry as HAPI gives it."""
    return {"issue": [{"details": {"coding": [{"code": code}]}}]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (issue("HAPI-1094: Resource Device/x not found"), "HAPI-1094"),
        (issue("HAPI-0550: HAPI-0989: stale version of PLANTED"), "HAPI-0550: HAPI-0989"),
        (issue("Failed: HAPI-0535: PLANTED"), "HAPI-0535"),
        (issue("PLANTED", "invariant"), "invariant"),
        (issue("PLANTED", "PLANTED"), ""),
        (issue("PLANTED", "code with PLANTED"), ""),
        (issue("PLANTED", "x" * 41), ""),
        (issue("PLANTED", "doe-john"), ""),
        (issue("PLANTED", 7), ""),
        (issue(["HAPI-0001"], "processing"), "HAPI-0001"),
        ({}, ""),
        (None, ""),
        ({"issue": []}, ""),
    ],
)
def test_only_the_code_of_an_outcome_is_told(body: dict[str, Any] | None, code: str) -> None:
    assert server_code(body) == code


@pytest.mark.parametrize("issues", ["PLANTED", [None], [["PLANTED"]], {"0": "PLANTED"}])
def test_an_outcome_of_another_form_has_no_code(issues: object) -> None:
    assert server_code({"resourceType": "OperationOutcome", "issue": issues}) == ""


@pytest.mark.parametrize(
    ("response", "word"),
    [
        ({"status": "201 Created"}, "created"),
        ({"status": "200 OK"}, "updated"),
        ({"status": "204 No Content"}, "deleted"),
        ({"status": "200 OK", "outcome": storage("SUCCESSFUL_UPDATE_NO_CHANGE")}, "unchanged"),
        ({"status": "201 Created", "outcome": storage("SUCCESSFUL_UPDATE_AS_CREATE")}, "created"),
        ({"status": "200 OK", "outcome": storage("SUCCESSFUL_UPDATE")}, "updated"),
        ({"status": "200 OK", "outcome": storage("SUCCESSFUL_CREATE")}, "created"),
        ({}, "updated"),
    ],
)
def test_one_entry_is_told_by_hapis_code_and_else_by_its_status(
    response: dict[str, Any], word: str
) -> None:
    assert written(response) == word


def test_a_rejection_is_told_as_status_and_code_and_ends_no_run() -> None:
    assert str(Rejected(400, "HAPI-1094")) == "HTTP 400 HAPI-1094"
    assert str(Rejected(400, "")) == "HTTP 400"
    assert Rejected(400, "").exit_code == 3


def test_a_rejection_survives_a_process_boundary() -> None:
    again = pickle.loads(pickle.dumps(Rejected(409, "HAPI-0550")))
    assert (again.status, again.server_code, str(again)) == (409, "HAPI-0550", "HTTP 409 HAPI-0550")
