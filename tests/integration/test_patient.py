"""The minimal Patient on real servers: stated, unchanged, and gone when it may not be there."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from deidfhir import MappingContext, load_settings, map_study, studies_from_paths
from tests.conftest import Cli, Server
from tests.integration.packaged import packaged
from tests.integration.support import Site
from tests.integration.validation import unexpected, validated
from tests.synthetic.objects import instance, write

ID = "PSEUDO-7"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write one removed study, and ask for Patient resources."""
    monkeypatch.setenv("DEIDFHIR_PATIENT", "resource")
    write(instance(1, PatientIdentityRemoved="YES", PatientID=ID), tmp_path / "in" / "1.dcm")
    return tmp_path / "in"


def patients(site: Site) -> list[str]:
    """Return the pseudonyms of this site's Patient resources."""
    system = load_settings(None).namespace
    answer = requests.get(
        f"{site.url}/Patient?identifier={system}|{ID}",
        headers={"Cache-Control": "no-cache"},
        timeout=60,
    ).json()
    return [one["resource"]["id"] for one in answer.get("entry", ())]


def test_it_is_stated_once_and_found_by_its_identifier(site: Site, archive: Path) -> None:
    dry = site.sync(archive, "--dry-run").report["resources"]
    first = site.sync(archive)
    assert (first.code, first.report["resources"]) == (0, dry)
    assert dry["created"] == 3
    assert len(patients(site)) == 1
    second = site.sync(archive).report
    assert (second["requests"], second["resources"]["unchanged"]) == (0, 3)
    verified = site.verify(archive).report
    assert (verified["ok"], verified["missing"], verified["drifted"]) == (3, 0, 0)


def test_it_goes_when_the_site_asks_for_it_no_more(
    site: Site, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sync(archive)
    monkeypatch.setenv("DEIDFHIR_PATIENT", "reference")
    dry = site.sync(archive, "--dry-run").report["resources"]
    run = site.sync(archive).report["resources"]
    assert run == dry
    assert (run["deleted"], run["updated"]) == (1, 1)
    assert patients(site) == []
    assert site.verify(archive).report["drifted"] == 0


def test_it_goes_when_the_study_is_refused(site: Site, archive: Path) -> None:
    site.sync(archive)
    write(instance(1, PatientIdentityRemoved="NO", PatientID=ID), archive / "1.dcm")
    run = site.sync(archive).report
    assert (run["withdrawn"], run["resources"]["deleted"]) == (1, 2)
    assert patients(site) == []


def test_where_deletion_is_refused_its_identifier_goes(
    refusing_server: Server, cli: Cli, namespace: str, archive: Path, tmp_path: Path
) -> None:
    del namespace
    site = Site(cli, refusing_server.fhir, refusing_server.url, tmp_path / "journal")
    site.sync(archive)
    assert len(patients(site)) == 1
    write(instance(1, PatientIdentityRemoved="NO", PatientID=ID), archive / "1.dcm")
    run = site.sync(archive).report
    assert run["withdrawn"] == 1
    assert patients(site) == []


@pytest.mark.usefixtures("namespace")
def test_it_is_valid(server: Server, archive: Path) -> None:
    (study,) = studies_from_paths([archive])
    found = map_study(study, MappingContext(server.fhir, load_settings(None))).resources
    assert found[0]["resourceType"] == "Patient"
    assert unexpected(validated(packaged(server), found)) == []
