"""What a real Orthanc tells of objects full of planted values shows nowhere but where it may."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.privacy.allowed import STATES, Case
from tests.privacy.holding import full, hold
from tests.synthetic.canaries import Canary, write_planted

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.archives import Pacs

pytestmark = pytest.mark.filterwarnings("ignore:VR lookup failed")
CASES = [Case(), *(Case(one) for one in STATES if one != "removed")]


@pytest.fixture
def planted(pacs: Pacs, tmp_path: Path) -> list[Canary]:
    """Store a study for each case; return all that was planted."""
    found: list[Canary] = []
    for serial, case in enumerate(CASES):
        made, canaries = full(case.markers(), serial)
        path = write_planted(made, tmp_path / f"{serial}.dcm", "1.2.840.10008.1.2.1")
        assert all(pacs.orthanc.put([path.read_bytes()]))
        path.unlink()
        found += canaries
    return found


def test_no_command_tells_logs_or_keeps_what_an_archive_states(
    cli: Cli,
    pacs: Pacs,
    planted: list[Canary],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    at = ("--from", pacs.orthanc.address)
    to = ("--to", tmp_path / "out", "--metrics", home / "m.prom", "--log", home / "log")
    said = []
    for command in (
        ("sync", *at, *to, "--dry-run"),
        ("sync", *at, *to),
        ("sync", *at, *to, "--full", "--json"),
        ("verify", *at, *to, "--json"),
        ("doctor", *at, "--json"),
        ("sync", *at, *to, "--query", "PatientID=*", "--limit", "2"),
    ):
        run = cli(*command)
        assert run.code in (0, 3), run.err
        said += [run.out, run.err]
    said += [cli("map", *at, "--accept", "all").err, caplog.text]
    assert '"GET /dicom-web/studies HTTP' in caplog.text
    for file in home.rglob("*"):
        said += [file.name, file.read_bytes().decode("latin-1") if file.is_file() else ""]
    assert (home / "log").stat().st_size > 500
    hold(planted, "\n".join(said), ())
