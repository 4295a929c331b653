"""Several processes read what one reads, in its order, and none of them outlives the run."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.errors import FatalError, RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import files, workers
from deidfhir.pipeline.files import Files, read_paths
from deidfhir.pipeline.listing import Listing, Slice, batches
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.records import BatchRead
from deidfhir.pipeline.slices import read_slices
from deidfhir.pipeline.workers import pool_of, read_all, read_by
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an archive of which each folder is read by a call of its own, from the second on."""
    monkeypatch.setattr(workers, "_FEW", 1)
    monkeypatch.setattr(workers, "_MANY", 1)
    monkeypatch.setattr(workers, "_ALONE", 0)
    folder = tmp_path / "archive"
    for number in range(12):
        made = instance(number % 4, 1, number + 1, PatientIdentityRemoved="YES")
        write(made, folder / f"{number:02}" / "a.dcm")
        (folder / f"{number:02}" / "b.dcm").write_bytes(b"no object")
    return folder


def ends_at_once(batch: tuple[Slice, ...]) -> BatchRead:
    """End the process that should read."""
    del batch
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_the_unit_of_work_can_be_sent_to_any_process(archive: Path) -> None:
    batch = tuple(Listing((archive,)).slices())
    sent = pickle.loads(pickle.dumps((read_slices, batch)))
    read = sent[0](sent[1])
    assert pickle.loads(pickle.dumps(read)) == read
    assert read.files == 24


def test_two_processes_read_what_one_reads_in_its_order(archive: Path) -> None:
    alone, both = (read_paths([archive], workers=number) for number in (1, 2))
    assert both.skipped == alone.skipped
    assert len(both.skipped) == 12
    assert list(both.studies) == list(alone.studies)
    assert (both.instances, both.foreign) == (alone.instances, alone.foreign) == (12, 0)


def test_what_map_writes_does_not_depend_on_the_number_of_processes(
    archive: Path, cli: Cli
) -> None:
    written = [cli("map", archive, "--workers", number).out for number in (1, 2)]
    assert written[0] == written[1]
    assert written[0].count("\n") == 4


@pytest.mark.parametrize("number", [1, 2])
def test_no_process_is_started_for_one_or_for_few_files(
    archive: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(workers, "_ALONE", 99)
    monkeypatch.setattr(workers, "pool_of", None)
    assert len(list(read_all(Listing((archive,)).slices(), number))) == 12


def test_a_process_that_is_ended_from_outside_ends_the_run_with_what_to_do(archive: Path) -> None:
    waiting = batches(Listing((archive,)).slices(), lambda: 1)
    with pool_of(2) as pool, pytest.raises(FatalError) as caught:
        list(read_by(pool, ends_at_once, waiting, 2))
    assert caught.value.code == "worker-lost"
    assert "--workers" in str(caught.value)


def test_where_no_process_can_be_started_any_more_the_run_ends_with_what_to_do(
    archive: Path,
) -> None:
    class Ended:
        def submit(self, *_: object) -> None:
            raise BrokenPipeError

    with pytest.raises(FatalError) as caught:
        list(read_by(Ended(), read_slices, batches(Listing((archive,)).slices(), lambda: 1), 2))  # type: ignore[arg-type]
    assert caught.value.code == "worker-lost"


def test_a_run_that_is_stopped_with_all_its_processes_is_stopped_and_not_at_fault(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> Iterator[BatchRead]:
        yield from ()
        raise FatalError("worker-lost")

    monkeypatch.setattr(files, "read_all", lost)
    with pytest.raises(FatalError):
        read_paths([archive])
    options = RunOptions(Files((archive,)), MappingContext(), stop=lambda: "interrupted")
    with pytest.raises(RetriableError):
        options.read()


def test_processes_end_when_the_run_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import os, time\n"
        "from deidfhir.pipeline.workers import pool_of\n"
        "if __name__ == '__main__':\n"
        "    pool = pool_of(2)\n"
        "    print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        numbers = [int(one) for one in run.stdout.readline().split()]
        run.kill()
    assert numbers
    until = time.monotonic() + 10
    while any(Path(f"/proc/{one}").exists() for one in numbers):
        assert time.monotonic() < until, "a process that reads outlived the run"
        time.sleep(0.05)
