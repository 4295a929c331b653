"""What a server is taken for: by its statement, its address, the operator, the journal."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.sync.profile import Wishes, WriteMode, by_server_ids, dialect_of, profiles

URL = "https://fhir.example/fhir"


def statement(name: str = "", **told: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a CapabilityStatement that tells something of the types that we write."""
    kinds = ("ImagingStudy", "Provenance", "Device")
    rest = {"mode": "server", "resource": [{"type": kind, **told} for kind in kinds]}
    return {"resourceType": "CapabilityStatement", "software": {"name": name}, "rest": [rest]}


@pytest.mark.parametrize(
    ("name", "url", "profile", "by"),
    [
        ("HAPI FHIR Server", URL, "hapi", "software"),
        ("Blaze", URL, "blaze", "software"),
        ("medplum", URL, "medplum", "software"),
        ("Azure API for FHIR", URL, "azure", "software"),
        ("", "https://a.fhir.azurehealthcareapis.com", "azure", "address"),
        ("", "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4", "healthlake", "address"),
        ("", "https://healthcare.googleapis.com/v1/projects/p/fhir", "gcp", "address"),
        ("HAPI FHIR Server", "https://healthlake.x.amazonaws.com", "hapi", "software"),
        ("something else", URL, "plain", "default"),
        ("", "https://amazonaws.com.example/fhir", "plain", "default"),
    ],
)
def test_a_server_is_known_by_its_software_else_by_its_address(
    name: str, url: str, profile: str, by: str
) -> None:
    found = dialect_of(statement(name), url, Wishes())
    assert (found.profile.name, found.profile_by) == (profile, by)


@pytest.mark.parametrize("broken", [None, "x", [1], {"name": 5}, {"name": ["HAPI"]}])
def test_a_statement_in_another_form_tells_nothing(broken: object) -> None:
    found = dialect_of({"software": broken, "rest": broken}, URL, Wishes())
    assert (found.profile.name, found.mode) == ("plain", "put")


def test_what_the_operator_says_stands_above_the_statement() -> None:
    wishes = Wishes(profile="gcp", mode="read-then-write", kept="put")
    found = dialect_of(statement("HAPI FHIR Server"), URL, wishes)
    assert (found.profile.name, found.profile_by) == ("gcp", "option")
    assert (found.mode, found.mode_by) == (WriteMode.READ_THEN_WRITE, "option")


def test_the_mode_of_the_journal_stands_above_profile_and_statement() -> None:
    told = statement("HAPI FHIR Server", updateCreate=True)
    found = dialect_of(told, URL, Wishes(kept="conditional"))
    assert (found.mode, found.mode_by) == (WriteMode.CONDITIONAL, "journal")


@pytest.mark.parametrize(
    ("told", "mode", "by"),
    [
        ({}, "put", "profile"),
        ({"updateCreate": True}, "put", "profile"),
        ({"updateCreate": False}, "conditional", "statement"),
        ({"updateCreate": False, "conditionalUpdate": True}, "conditional", "statement"),
        ({"updateCreate": False, "conditionalUpdate": False}, "read-then-write", "statement"),
    ],
)
def test_only_an_outspoken_no_to_ids_of_clients_changes_the_mode(
    told: dict[str, bool], mode: str, by: str
) -> None:
    found = dialect_of(statement("HAPI FHIR Server", **told), URL, Wishes())
    assert (found.mode, found.mode_by) == (mode, by)


def test_a_server_that_denies_conditional_update_is_read_first() -> None:
    assert by_server_ids(statement()) is WriteMode.CONDITIONAL
    assert by_server_ids(statement(conditionalUpdate=False)) is WriteMode.READ_THEN_WRITE


def test_no_profile_goes_beyond_what_its_server_takes() -> None:
    entries = {name: one.limits.entries for name, one in profiles().items()}
    assert entries["healthlake"] == 160
    assert entries["azure"] == 500
    assert entries["gcp"] == 4500
    assert entries["medplum"] == 50
    assert set(entries) == {"hapi", "blaze", "azure", "gcp", "healthlake", "medplum", "plain"}
    assert all(one.connections >= 2 for one in profiles().values())
