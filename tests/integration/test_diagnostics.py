"""Why real HAPI refuses: codes and elements are kept, its text and the values in it are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from deidfhir.web.diagnostics import issues_of
from tests.integration.relay import spoiling
from tests.integration.support import ASK, Archive, Site, only

if TYPE_CHECKING:
    from tests.conftest import Cli, Server
    from tests.integration.relay import Relay

CANARY = "planted-in-a-value"
STUDY = {"resourceType": "ImagingStudy", "status": "available", "subject": {"display": "x"}}


def refused(url: str, path: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the OperationOutcome of a resource that is wrong; it quotes what it got."""
    answer = requests.post(f"{url}{path}", json=resource, headers=ASK, timeout=60)
    found: dict[str, Any] = answer.json()
    assert found["resourceType"] == "OperationOutcome"
    assert CANARY in answer.text
    return found


def transaction(resource: dict[str, Any]) -> dict[str, Any]:
    identity = str(uuid4())
    request = {"method": "PUT", "url": f"ImagingStudy/{identity}"}
    entry = {"resource": {**resource, "id": identity}, "request": request}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


@pytest.mark.parametrize(
    ("changed", "codes", "elements"),
    [
        ({"status": CANARY}, ("HAPI-0450", "HAPI-1821"), ("status",)),
        ({"started": CANARY}, ("HAPI-0450", "HAPI-1821"), ("started",)),
        (
            {"subject": {"reference": f"Patient/{CANARY}"}},
            ("HAPI-1094",),
            ("ImagingStudy.subject",),
        ),
    ],
    ids=["a code", "a date", "a reference"],
)
def test_a_refused_transaction_is_told_by_code_and_element(
    server: Server, changed: dict[str, Any], codes: tuple[str, ...], elements: tuple[str, ...]
) -> None:
    (issue,) = issues_of(refused(server.url, "", transaction({**STUDY, **changed})))
    assert (issue.codes, issue.elements) == (codes, elements)
    assert CANARY not in str(issue)


def test_of_the_validator_messages_and_expressions_are_kept(server: Server) -> None:
    wrong = {
        **STUDY,
        "extension": [{"url": f"http://x.example/{CANARY}"}],
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "instance": [{"number": 1}]}],
    }
    issues = issues_of(refused(server.url, "/ImagingStudy/$validate", wrong))
    told = {(code, path) for one in issues for code in one.codes for path in one.elements}
    assert ("ext-1", "ImagingStudy.extension[0]") in told
    missing = ("Validation_VAL_Profile_Minimum", "ImagingStudy.series[0].instance[0]")
    assert missing in told
    assert CANARY not in str([one.as_dict() for one in issues])


def test_dead_show_says_what_the_server_said_against_a_study(
    r4_site: Site, archive: Archive, relay: Relay, cli: Cli
) -> None:
    (name,) = only("ImagingStudy", r4_site.stated(archive.put(1)))
    relay.tamper = spoiling(name)
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder).code == 3
    where = ("--to", site.url, "--journal", site.journal)
    shown = cli("dead", "show", "--all", *where).out
    (line,) = [one for one in shown.splitlines() if one.startswith("because")]
    assert "HAPI-" in line
    (letter,) = cli("dead", "show", "--all", *where, "--json").report["letters"]
    assert [one["severity"] for one in letter["issues"]] == ["error"]
    assert "spoiled" not in shown
