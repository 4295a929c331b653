"""sync into a folder: the whole command, run after run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from tests.synthetic.objects import equipment, instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

COUNTS = ("created", "updated", "unchanged", "deleted", "failed")


class Site:
    """An archive, a folder as target, and a journal."""

    def __init__(self, cli: Cli, place: Path) -> None:
        self._cli = cli
        self.archive, self.folder = place / "archive", place / "fhir"
        self.journal = place / "journal"

    def put(self, study: int, number: int = 1, **attributes: Any) -> Path:  # noqa: ANN401
        """Write an object that states YES and a method."""
        stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1"}
        made = instance(study, 1, number, **(stated | attributes))
        return write(made, self.archive / f"{study}-{number}.dcm")

    def run(self, command: str = "sync", *more: object) -> Ran:
        """Run a command on the archive and the folder."""
        where = ("--to", self.folder, "--journal", self.journal, "--json")
        return self._cli(command, self.archive, *where, *more)

    def counts(self, *more: object) -> tuple[int, ...]:
        """Run sync and return how many were created, updated, unchanged, deleted and failed."""
        resources = self.run("sync", *more).report["resources"]
        return tuple(resources[name] for name in COUNTS)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return what one file holds."""
        text = (self.folder / f"{kind}.ndjson").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def state(self) -> dict[str, tuple[int, int]]:
        """Return what tells whether files were rewritten."""
        return {
            one.name: (one.stat().st_ino, one.stat().st_mtime_ns) for one in self.folder.glob("*")
        }


@pytest.fixture
def site(cli: Cli, tmp_path: Path) -> Site:
    """Give a site."""
    return Site(cli, tmp_path)


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_a_second_run_rewrites_no_file(site: Site, journal: str) -> None:
    site.put(1)
    site.put(2)
    assert site.counts() == (4, 0, 0, 0, 0)
    before = site.state()
    if journal == "lost":
        site.journal.unlink()
    assert site.counts() == (0, 0, 4, 0, 0)
    assert site.state() == before


def test_the_instant_of_recording_survives_a_lost_journal(site: Site) -> None:
    site.put(1)
    site.run()
    file = site.folder / "Provenance.ndjson"
    (line,) = site.lines("Provenance")
    file.write_text(json.dumps({**line, "recorded": "2000-01-01T00:00:00Z"}) + "\n")
    site.journal.unlink()
    site.put(1, DeidentificationMethod="tool 2")
    assert site.counts() == (0, 2, 0, 0, 0)
    assert [one["recorded"] for one in site.lines("Provenance")] == ["2000-01-01T00:00:00Z"]


def test_a_folder_that_was_deleted_is_written_again_with_the_instants_of_the_journal(
    site: Site,
) -> None:
    site.put(1)
    site.run()
    recorded = [one["recorded"] for one in site.lines("Provenance")]
    shutil.rmtree(site.folder)
    assert site.counts() == (2, 0, 0, 0, 0)
    assert [one["recorded"] for one in site.lines("Provenance")] == recorded
    assert site.run("verify").code == 0


def test_a_line_that_someone_removed_is_written_again(site: Site) -> None:
    site.put(1)
    site.put(2)
    site.run()
    file = site.folder / "ImagingStudy.ndjson"
    file.write_text(file.read_text().splitlines(keepends=True)[0])
    assert site.run("verify").report["missing"] == 1
    assert site.counts() == (1, 0, 3, 0, 0)
    assert site.run("verify").code == 0


def test_a_step_that_is_no_longer_stated_goes_from_the_file(site: Site) -> None:
    first, second = equipment(Manufacturer="one"), equipment(Manufacturer="two")
    site.put(1, ContributingEquipmentSequence=[first, second])
    assert site.counts() == (6, 0, 0, 0, 0)
    site.put(1, ContributingEquipmentSequence=[second])
    assert site.counts() == (0, 2, 1, 2, 0)
    assert len(site.lines("Provenance")) == 1
    assert len(site.lines("Device")) == 2


def test_a_study_no_longer_accepted_loses_its_statements_in_the_folder(site: Site) -> None:
    site.put(1)
    site.run()
    site.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    run = site.run()
    assert (run.code, run.report["withdrawn"]) == (3, 1)
    assert site.lines("Provenance") == []
    (study,) = site.lines("ImagingStudy")
    assert "extension" not in study
    assert site.run().report["troubles"] == []


def test_garbage_in_the_folder_ends_the_run_and_nothing_is_lost(site: Site) -> None:
    site.put(1)
    site.run()
    (site.folder / "Device.ndjson").write_bytes(b"garbage")
    content = {one.name: one.read_bytes() for one in site.folder.iterdir()}
    site.put(2, ContributingEquipmentSequence=[equipment(Manufacturer="one")])
    run = site.run()
    assert run.code == 1
    assert run.err == (
        "deidfhir: the folder holds a file that is no NDJSON of FHIR resources, each id once: "
        f"{site.folder / 'Device.ndjson'}; move it away\n"
    )
    assert {one.name: one.read_bytes() for one in site.folder.iterdir()} == content


def test_a_dry_run_makes_no_folder_and_no_journal(site: Site) -> None:
    site.put(1)
    assert site.counts("--dry-run") == (2, 0, 0, 0, 0)
    assert not site.folder.exists()
    assert not site.journal.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"DEIDFHIR_NAMESPACE": "https://other.example/ids"},
        {"DEIDFHIR_TENANT": "other"},
        {"--fhir": "R5"},
        {"--to": "other"},
    ],
    ids=lambda one: next(iter(one)).strip("-").lower(),
)
@pytest.mark.parametrize("command", ["sync", "verify"])
def test_a_journal_of_another_site_version_or_folder_fails_the_run(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str, other: dict[str, str]
) -> None:
    site.put(1)
    assert site.run().code == 0
    before = site.state()
    for name, value in other.items():
        if name.startswith("DEIDFHIR"):
            monkeypatch.setenv(name, value)
    options = [word for name, value in other.items() if name[0] == "-" for word in (name, value)]
    run = site.run(command, *options)
    assert run.code == 1
    assert run.err == (
        f"deidfhir: the journal {site.journal} belongs to another target, FHIR version or id "
        "namespace: give another one with --journal\n"
    )
    assert site.state() == before


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the rights of root, which no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["sync", "dry run"])
def test_a_folder_that_is_read_only_fails_the_run_and_its_dry_run(
    cli: Cli, more: tuple[str, ...]
) -> None:
    with TemporaryDirectory() as place:  # pytest's own folders are closed to other users
        site = Site(cli, Path(place))
        site.put(1)
        Path(place).chmod(0o777)
        site.archive.chmod(0o755)
        with as_nobody():
            assert site.run("sync").code == 0
        site.put(2)
        site.folder.chmod(0o500)
        with as_nobody():
            run = site.run("sync", *more)
            site.folder.chmod(0o700)
    assert run.code == 1
    assert run.err == (
        f"deidfhir: the folder cannot be written: {site.folder}; "
        "check its permissions and the disk\n"
    )


def test_a_target_below_a_file_fails_the_run(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    site = Site(cli, tmp_path)
    site.put(1)
    site.folder = tmp_path / "file" / "out"
    run = site.run()
    assert run.code == 1
    assert run.err == (
        f"deidfhir: the folder cannot be written: {site.folder}; "
        "check its permissions and the disk\n"
    )
