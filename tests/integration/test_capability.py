"""The published CapabilityStatement says what our commands really ask of a server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from deidfhir.config import Settings
from deidfhir.package.resources import conformance_resources
from tests.conftest import Cli, Server
from tests.integration.packaged import packaged
from tests.integration.relay import Relay
from tests.synthetic.objects import instance, write

SHAPING = {
    "_count",
    "_getpages",
    "_getpagesoffset",
    "_pretty",
    "_bundletype",
    "_format",
    "_elements",
}


def stated(server: Server) -> set[tuple[str, str]]:
    """Return type and interaction, and type and search parameter, of the CapabilityStatement."""
    (statement,) = [
        one
        for one in conformance_resources(Settings(), server.fhir)
        if one["resourceType"] == "CapabilityStatement"
    ]
    (rest,) = statement["rest"]
    found = {("", one["code"]) for one in rest["interaction"]}
    for one in rest["resource"]:
        found |= {(one["type"], interaction["code"]) for interaction in one["interaction"]}
        found |= {(one["type"], parameter["name"]) for parameter in one["searchParam"]}
    return found


def asked(relay: Relay) -> set[tuple[str, str]]:
    """Return the same of what came by the relay."""
    found: set[tuple[str, str]] = set()
    for sent in relay.log:
        parts = urlsplit(sent.path)
        kind, *more = parts.path.removeprefix(urlsplit(relay.url).path).strip("/").split("/")
        if sent.method == "POST":
            found.add(("", "transaction"))
            for entry in sent.entries:
                method, _, name = entry.partition(" ")
                found.add((name, {"PUT": "update", "DELETE": "delete"}[method]))
        elif sent.method == "PUT":
            found.add((kind, "update"))
        elif kind != "metadata":
            found.add((kind, "read" if more else "search-type"))
            names = {name for name, _ in parse_qsl(parts.query)} - SHAPING
            found |= {(kind, name) for name in names}
    return found


@pytest.mark.usefixtures("namespace")
def test_nothing_is_asked_of_a_server_that_the_statement_does_not_say(
    cli: Cli, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_PATIENT", "resource")
    monkeypatch.setenv("DEIDFHIR_DICOMWEB_ROOT", "https://archive.example/dicom-web")
    file = tmp_path / "in" / "1.dcm"
    one = instance(1, PatientIdentityRemoved="YES", DeidentificationMethod="x", PatientID="P-1")
    write(one, file)
    with Relay(packaged(server)) as relay:
        target = (relay.url, "--fhir", server.fhir)
        assert cli("install", "--to", *target).code == 0
        assert cli("sync", tmp_path / "in", "--to", *target).code == 0
        assert cli("verify", tmp_path / "in", "--to", *target).code == 0
        study = str(one.StudyInstanceUID)
        assert cli("reverse", "--from", *target, "--study", study).code == 0
        write(instance(1, PatientIdentityRemoved="NO", PatientID="P-1"), file)
        cli("sync", tmp_path / "in", "--to", *target)
        found = asked(relay)
    assert ("Provenance", "delete") in found
    assert ("Patient", "update") in found
    assert sorted(found - stated(server)) == []


def test_install_leaves_alone_what_was_installed_under_another_address(
    cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = packaged(server)
    monkeypatch.setenv("DEIDFHIR_CANONICAL", "https://another.example/fhir")
    with Relay(url) as relay:
        run = cli("install", "--to", relay.url, "--fhir", server.fhir)
        assert relay.writes == []
    assert (run.code, run.out) == (1, "")
    assert "holds another CodeSystem/deidentification-verdict, with another url" in run.err
