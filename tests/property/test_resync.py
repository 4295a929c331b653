"""Whatever changes in an archive: a run that opens what changed ends as one that opens all."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import listing
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import SyncRun, run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.web.timing import Clock
from tests.synthetic.objects import instance, write
from tests.synthetic.packing import tar_of, zip_of

FOLDERS, STUDIES, NUMBERS = ("a", "a/x", "b", "c"), 5, 4
METHODS = ("tool", "CTP", "another", "JOHN")


@dataclass
class World:
    """An archive that changes, and two targets that follow it."""

    root: Path
    random: random.Random
    changes: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The archive."""
        return self.root / "archive"

    def change(self) -> None:
        """Do one thing to the archive."""
        chosen = self.random.choice((self._write,) * 6 + self._others)
        chosen()
        self.changes.append(chosen.__name__)

    @property
    def _others(self) -> tuple[Callable[[], None], ...]:
        return self._remove, self._remove, self._move, self._spoil, self._pack

    def _place(self) -> Path:
        return self.folder / self.random.choice(FOLDERS) / f"{self.random.randrange(6)}.dcm"

    def _write(self) -> None:
        stated: dict[str, Any] = {
            "PatientIdentityRemoved": self.random.choice(("YES", "YES", "NO"))
        }
        stated["DeidentificationMethod"] = self.random.choice(METHODS)
        study, number = self.random.randrange(STUDIES), self.random.randrange(NUMBERS)
        write(instance(study, 1, number, **stated), self._place())

    def _files(self) -> list[Path]:
        return sorted(one for one in self.folder.rglob("*") if one.is_file())

    def _remove(self) -> None:
        for one in self._files()[:1]:
            one.unlink()

    def _move(self) -> None:
        if files := self._files():
            there = self._place()
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.random.choice(files), there)

    def _spoil(self) -> None:
        there = self._place().with_suffix(self.random.choice((".dcm", ".txt", ".json")))
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(self.random.choice((b"", b"no object", b"[]")))

    def _pack(self) -> None:
        """Put some of the files into a container, or what is no object at all."""
        objects = [one for one in self._files() if one.suffix == ".dcm"]
        packed = objects[:: self.random.choice((2, 3))][:2]
        files = [(str(one.relative_to(self.folder)), one.read_bytes()) for one in packed]
        there = self._place().with_suffix(self.random.choice((".zip", ".tar")))
        there.parent.mkdir(parents=True, exist_ok=True)
        if self.random.random() < 0.1:
            files.append(("broken.dcm", b""))
        there.write_bytes(zip_of(files) if there.suffix == ".zip" else tar_of(files))
        for one in packed:
            one.unlink()

    def sync(self, name: str, *, full: bool) -> SyncRun:
        """Sync into one of the targets."""
        now = Clock().now
        to = self.root / name
        where = TargetOptions(str(to), to / "journal", clock=Clock(now=lambda: now() + 10))
        options = RunOptions(Files((self.folder,)), MappingContext())
        return run_sync(options, where, full=full, confirmed=STUDIES)

    def held(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """Yield what a target holds, but for instants."""
        for one in sorted((self.root / name).glob("*.ndjson")):
            lines = one.read_text(encoding="utf-8").splitlines()
            yield one.name, sorted(_without_instants(line) for line in lines)


def _without_instants(line: str) -> str:
    return "".join(part for part in line.split('"') if not part.startswith("20"))


def _file(path: str) -> str:
    """Return the file in which a path lies: what a container holds is not named unopened."""
    return re.sub(r"(?<=\.(zip|tar))/.*", "", path)


def told(run: SyncRun) -> dict[str, Any]:
    """Return what a report says, in no order."""
    work, report = run.work, run.report
    return {
        "counts": (work.studies, work.reading.instances, work.reading.foreign, work.unrecognised),
        "verdicts": dict(work.verdicts),
        "findings": sorted((one.code, _file(one.path)) for one in work.findings),
        "refusals": sorted(
            (_file(one.path), one.finding.code, one.detail) for one in work.refusals
        ),
        "skipped": sorted(work.reading.skipped),
        "troubles": sorted((one.code, _file(one.name), one.detail) for one in report.troubles),
        "resources": dict(report.resources),
        "existing": dict(report.existing),
        "exit": run.exit_code,
    }


@pytest.mark.parametrize("seed", range(12))
def test_a_run_that_opens_what_changed_ends_as_one_that_opens_all(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGEST", 2 + seed % 3)
    world = World(tmp_path, random.Random(seed))
    unopened = 0
    for _ in range(15):
        for _ in range(world.random.randrange(4)):
            world.change()
        world.folder.mkdir(exist_ok=True)
        full = world.sync("full", full=True)
        some = world.sync("some", full=False)
        assert told(some) == told(full), world.changes
        assert dict(world.held("some")) == dict(world.held("full")), world.changes
        unopened += len(some.work.reading.settled)
    assert unopened
    assert world.sync("some", full=False).report.resources.keys() <= {"unchanged"}
