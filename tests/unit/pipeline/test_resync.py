"""What a sync opens of an archive that it has read before, and what it says of the rest."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.dicom.headers import look_at
from deidfhir.dicom.scan.prefix import Opened
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import slices
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import SyncRun, run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.recognition.vocabulary import load_vocabulary
from deidfhir.web.timing import Clock
from tests.synthetic.objects import instance, write

LATER = 10.0
"""Seconds after the archive was written: its files can no longer change unseen."""


@dataclass
class Archive:
    """An archive, a target, and what each sync opened."""

    folder: Path
    to: Path
    opened: list[str] = field(default_factory=list)
    seconds: float = LATER
    settings: Settings = field(default_factory=Settings)

    def put(self, name: str, study: int, number: int = 1, **stated: Any) -> Path:  # noqa: ANN401
        """Write one object."""
        given = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool", **stated}
        return write(instance(study, 1, number, **given), self.folder / name)

    def sync(self, paths: tuple[Path, ...] = (), **options: Any) -> SyncRun:  # noqa: ANN401
        """Sync, and note which files were opened."""
        self.opened.clear()
        now = Clock().now
        where = TargetOptions(
            str(self.to), self.to / "journal", clock=Clock(now=lambda: now() + self.seconds)
        )
        context = MappingContext("R4", self.settings)
        return run_sync(RunOptions(Files(paths or (self.folder,)), context), where, **options)

    def held(self) -> dict[str, Any]:
        """Return what the target holds."""
        return {
            one.name: [json.loads(line) for line in one.read_text().splitlines()]
            for one in sorted(self.to.glob("*.ndjson"))
        }


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """Give an archive of three studies in three folders, one of them in two."""
    made = Archive(tmp_path / "archive", tmp_path / "fhir")

    def looking_at(path: str) -> Opened:
        made.opened.append(path.removeprefix(f"{made.folder}/"))
        return look_at(path)

    monkeypatch.setattr(slices, "look_at", looking_at)
    made.put("a/1.dcm", 1)
    made.put("a/2.dcm", 1, 2)
    made.put("b/1.dcm", 2)
    made.put("b/2.dcm", 3)
    made.put("c/1.dcm", 3, 2)
    return made


EVERY = ["a/1.dcm", "a/2.dcm", "b/1.dcm", "b/2.dcm", "c/1.dcm"]


def told(run: SyncRun) -> dict[str, Any]:
    """Return what a report says, but for what was written."""
    work = run.work
    return {
        "studies": work.studies,
        "instances": work.reading.instances,
        "foreign": work.reading.foreign,
        "verdicts": dict(work.verdicts),
        "findings": sorted(work.findings),
        "refusals": work.refusals,
        "tools": dict(work.tools),
        "unrecognised": work.unrecognised,
        "existing": dict(run.report.existing),
        "exit": run.exit_code,
        "resources": run.report.resources.total(),
    }


def test_files_of_an_unchanged_archive_are_not_opened_and_the_report_is_the_same(
    archive: Archive,
) -> None:
    archive.put("b/3.dcm", 4, DeidentificationMethod=("CTP", "someone's own words"))
    (archive.folder / "b" / "notes.txt").write_text("no object")
    first = archive.sync()
    assert sorted({*archive.opened} - {"b/notes.txt"}) == sorted([*EVERY, "b/3.dcm"])
    held = archive.held()
    journal = archive.to / "journal"
    before = journal.read_bytes()
    second = archive.sync()
    assert archive.opened == []
    assert told(second) == told(first)
    assert len(second.work.reading.settled) == 4
    assert second.report.resources == {"unchanged": first.report.resources.total()}
    assert archive.held() == held
    assert journal.read_bytes() == before


def test_of_what_changes_the_study_is_read_whole_and_nothing_else(archive: Archive) -> None:
    archive.sync()
    archive.put("c/1.dcm", 3, 2, DeidentificationMethod="another tool")
    run = archive.sync()
    # Study 3 stands in b, too, and in b there is a part of study 2.
    assert sorted(archive.opened) == ["b/1.dcm", "b/2.dcm", "c/1.dcm"]
    assert run.report.resources["updated"] == 1
    archive.put("a/3.dcm", 1, 3)
    archive.sync()
    assert sorted(archive.opened) == ["a/1.dcm", "a/2.dcm", "a/3.dcm"]
    archive.sync()
    assert archive.opened == []


def test_an_instance_in_a_new_folder_makes_its_study_be_read_where_it_was(archive: Archive) -> None:
    archive.sync()
    archive.put("d/1.dcm", 1, 3)
    run = archive.sync()
    assert sorted(archive.opened) == ["a/1.dcm", "a/2.dcm", "d/1.dcm"]
    assert run.exit_code == 0
    (study,) = [
        one for one in archive.held()["ImagingStudy.ndjson"] if one["numberOfInstances"] > 2
    ]
    assert study["numberOfInstances"] == 3


def test_an_instance_that_is_gone_leaves_its_study_and_a_study_that_is_gone_vanishes(
    archive: Archive,
) -> None:
    archive.sync()
    (archive.folder / "a" / "2.dcm").unlink()
    shutil.rmtree(archive.folder / "c")
    run = archive.sync()
    assert sorted(archive.opened) == ["a/1.dcm", "b/1.dcm", "b/2.dcm"]
    assert (run.report.vanished, run.exit_code) == (0, 0)
    shutil.rmtree(archive.folder / "a")
    run = archive.sync()
    assert archive.opened == []
    assert (run.report.vanished, run.report.fates["retired"]) == (1, 1)


def test_a_file_with_another_name_size_or_time_is_another(archive: Archive) -> None:
    archive.sync()
    (archive.folder / "a" / "1.dcm").rename(archive.folder / "a" / "0.dcm")
    archive.sync()
    assert sorted(archive.opened) == ["a/0.dcm", "a/2.dcm"]
    (archive.folder / "c" / "1.dcm").touch()
    archive.sync()
    assert "c/1.dcm" in archive.opened
    (archive.folder / "c" / "link.dcm").symlink_to(archive.folder / "nothing")
    archive.sync()
    assert "c/1.dcm" in archive.opened


@pytest.mark.parametrize(
    "change",
    [
        {"settings": Settings(tenant="other")},
        {"settings": Settings(narrative=False)},
        {"settings": Settings(existing="own")},
    ],
)
def test_another_setting_makes_all_be_read(archive: Archive, change: dict[str, Settings]) -> None:
    archive.sync()
    archive.settings = change["settings"]
    archive.to = archive.to if not archive.settings.tenant else archive.to.parent / "other"
    archive.sync()
    assert sorted(archive.opened) == EVERY
    archive.sync()
    assert archive.opened == []


def test_another_entry_of_the_site_makes_all_be_read(archive: Archive, tmp_path: Path) -> None:
    entries = tmp_path / "tools"
    entries.mkdir()
    archive.settings = Settings(tools=str(entries))
    archive.sync()
    text = '[ours]\nkind = "tool"\nname = "Ours"\nsource = ["s"]\n'
    rule = '[[ours.rule]]\nid = "one"\ntexts = ["tool"]\n'
    (entries / "ours.toml").write_text(text + rule)
    load_vocabulary.cache_clear()
    run = archive.sync()
    assert sorted(archive.opened) == EVERY
    assert run.work.tools == {"ours": 3}


def test_all_is_read_when_that_is_asked_for_or_the_target_is_not_as_it_was_left(
    archive: Archive,
) -> None:
    archive.sync()
    archive.sync(full=True)
    assert sorted(archive.opened) == EVERY
    (archive.to / "Provenance.ndjson").unlink()
    run = archive.sync()
    assert sorted(archive.opened) == EVERY
    assert run.report.resources["created"] == 3
    archive.sync()
    assert archive.opened == []


def test_files_that_were_just_written_are_opened_once_more(archive: Archive) -> None:
    archive.seconds = 0.0
    archive.sync()
    archive.sync()
    assert sorted(archive.opened) == EVERY


def test_studies_that_are_refused_are_told_of_in_each_run(archive: Archive) -> None:
    archive.put("b/0.dcm", 5, PatientIdentityRemoved="NO")
    archive.put("d/1.dcm", 6, DeidentificationMethod="one")
    archive.put("d/2.dcm", 6, DeidentificationMethod="two")
    first = archive.sync()
    assert first.exit_code == 3
    assert [Path(one.path).name for one in first.work.refusals] == ["0.dcm", "1.dcm"]
    second = archive.sync()
    assert archive.opened == []
    assert told(second) == told(first)
    issues = [one.work.outcome()["issue"] for one in (first, second)]
    assert sorted(map(json.dumps, issues[0])) == sorted(map(json.dumps, issues[1]))


def test_what_was_skipped_is_opened_in_each_run_with_what_lies_beside_it(archive: Archive) -> None:
    (archive.folder / "c" / "2.dcm").write_bytes(b"no object")
    first = archive.sync()
    second = archive.sync()
    # Study 3 has a part beside it.
    assert sorted(archive.opened) == ["b/1.dcm", "b/2.dcm", "c/1.dcm", "c/2.dcm"]
    assert told(second) == told(first)
    assert second.exit_code == 3


def test_a_dry_run_opens_what_the_run_would_open_and_keeps_nothing(archive: Archive) -> None:
    archive.sync(dry_run=True)
    archive.sync(dry_run=True)
    assert sorted(archive.opened) == EVERY
    archive.sync()
    archive.put("a/1.dcm", 1, DeidentificationMethod="another")
    for _ in range(2):
        run = archive.sync(dry_run=True)
        assert sorted(archive.opened) == ["a/1.dcm", "a/2.dcm"]
        assert run.report.resources["updated"]


def test_what_another_source_says_of_a_study_makes_it_be_read(
    archive: Archive, tmp_path: Path
) -> None:
    archive.sync()
    other = replace(archive, folder=tmp_path / "other", opened=[])
    other.put("1.dcm", 1, 3)
    where = TargetOptions(str(other.to), other.to / "journal")
    run_sync(RunOptions(Files((other.folder,)), MappingContext()), where)
    archive.sync()
    assert sorted(archive.opened) == ["a/1.dcm", "a/2.dcm"]


def test_files_that_are_named_one_by_one_are_remembered_in_any_order(archive: Archive) -> None:
    files = [archive.folder / one for one in EVERY]
    now = Clock().now
    where = TargetOptions(
        str(archive.to), archive.to / "journal", clock=Clock(now=lambda: now() + LATER)
    )
    run_sync(RunOptions(Files(tuple(files)), MappingContext()), where)
    archive.opened.clear()
    run = run_sync(RunOptions(Files(tuple(reversed(files))), MappingContext()), where)
    assert archive.opened == []
    assert (run.work.studies, run.work.reading.instances) == (3, 5)
