"""The Endpoint on real servers and in a folder: sent once, found again, valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from deidfhir import MappingContext, load_settings, map_study, studies_from_paths
from tests.conftest import Cli, Server
from tests.integration.packaged import packaged
from tests.integration.validation import unexpected, validated
from tests.synthetic.samples import write_samples


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str) -> Path:
    """Write two studies, and set a DICOMweb root."""
    write_samples(tmp_path / "in")
    monkeypatch.setenv("DEIDFHIR_DICOMWEB_ROOT", f"https://archive.example/{namespace[-8:]}")
    return tmp_path / "in" / "tcia-ct"


def test_it_is_created_once_and_compared(
    cli: Cli, server: Server, archive: Path, tmp_path: Path
) -> None:
    order = ("--to", server.url, "--fhir", server.fhir, "--json")
    dry = cli("sync", archive, *order, "--dry-run").report["resources"]
    first = cli("sync", archive, *order)
    assert (first.code, first.report["resources"]) == (0, dry)
    assert dry["created"] == 3
    second = cli("sync", archive, *order)
    assert (second.report["requests"], second.report["resources"]["unchanged"]) == (0, 3)
    verified = cli("verify", archive, *order).report
    assert (verified["ok"], verified["missing"], verified["drifted"]) == (3, 0, 0)
    lost = cli("sync", archive, *order, "--journal", tmp_path / "fresh").report["resources"]
    assert (lost["unchanged"], lost["updated"]) == (3, 0)


def test_it_is_valid(server: Server, archive: Path) -> None:
    (study,) = studies_from_paths([archive])
    context = MappingContext(server.fhir, load_settings(None))
    found = map_study(study, context).resources
    assert found[0]["resourceType"] == "Endpoint"
    assert unexpected(validated(packaged(server), found)) == []


def test_a_folder_holds_it_too(cli: Cli, archive: Path, tmp_path: Path) -> None:
    assert cli("sync", archive, "--to", tmp_path / "out").code == 0
    lines = (tmp_path / "out" / "Endpoint.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert cli("verify", archive, "--to", tmp_path / "out").code == 0
