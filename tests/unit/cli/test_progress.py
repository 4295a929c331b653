"""Progress: how far, how fast, how long still; a moving line on a terminal, plain lines else."""

from __future__ import annotations

import io
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.cli import progress as module
from deidfhir.cli.progress import Progress
from tests.conftest import command, process_environment
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

CLEAR = "\r\x1b[K"
Tick = tuple[float, int, int]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def told(stream: io.StringIO, ticks: Iterable[Tick], what: str = "files read") -> str:
    """Return what a progress tells when it is called at some moments, then closed."""
    moments = iter(ticks)
    now = 0.0
    progress = Progress(stream, lambda: now)
    for now, count, total in moments:  # noqa: B007 - the clock reads it
        progress(what, count, total)
    progress.close()
    return stream.getvalue()


def at(*moments: float) -> list[Tick]:
    """Return one more done at each moment, without a total."""
    return [(now, number, 0) for number, now in enumerate(moments, start=1)]


def test_elsewhere_it_is_a_plain_line_every_ten_seconds() -> None:
    lines = told(io.StringIO(), at(1, 9.9, 10, 11, 19.9, 20.1)).splitlines()
    assert lines == ["deidfhir: files read: 3, 0.2/s", "deidfhir: files read: 6, 0.3/s"]


def test_a_short_run_tells_none() -> None:
    assert told(io.StringIO(), at(0.1, 0.2)) == ""
    assert told(Terminal(), at(0.05, 0.1)) == ""


def test_on_a_terminal_it_is_one_moving_line_that_goes_at_the_end() -> None:
    text = told(Terminal(), at(0.1, 0.3, 0.4, 0.6))
    assert text == f"{CLEAR}deidfhir: files read: 2{CLEAR}deidfhir: files read: 4{CLEAR}"


def last(ticks: Iterable[Tick]) -> str:
    """Return the last line on a terminal."""
    return told(Terminal(), ticks, "studies done").split(CLEAR)[-2]


def test_a_known_total_is_told_with_rate_and_time_left() -> None:
    ticks = [(float(second), 5 * second, 1000) for second in range(11)]
    assert last(ticks) == "deidfhir: studies done: 50 of 1000, 5.0/s, 3 min left"


@pytest.mark.parametrize(
    ("rate", "total", "words"),
    [
        (20, 1000, "20/s, 40 s left"),
        (1, 7330, "1.0/s, 2 h 02 min left"),
        (2, 6800, "2.0/s, 56 min left"),
        (20, 200, "20/s"),
        (20, 0, "20/s"),
    ],
)
def test_the_time_left_is_told_in_words_that_are_long_enough(
    rate: int, total: int, words: str
) -> None:
    line = last((float(second), rate * second, total) for second in range(11))
    assert line.endswith(f", {words}")


def test_the_rate_is_that_of_the_last_minute() -> None:
    quick = [(float(second), 100 * second, 10**6) for second in range(101)]
    slow = [(float(100 + second), 10_000 + second, 10**6) for second in range(1, 62)]
    assert " 1.0/s," in last(quick + slow)
    assert " 1.0/s," not in last(quick + slow[:40])


def test_batches_that_take_longer_than_that_still_have_a_rate() -> None:
    assert last((120.0 * one, 60 * one, 600) for one in range(6)).endswith("0.5/s, 10 min left")


def test_what_stands_still_has_no_rate_and_no_end() -> None:
    assert last([(0.0, 5, 10), (30.0, 5, 10)]) == "deidfhir: studies done: 5 of 10"


def test_the_next_stage_starts_anew() -> None:
    stream, now = Terminal(), 0.0
    progress = Progress(stream, lambda: now)
    progress("files read", 0)
    for what, moment, count in (("files read", 5.0, 500), ("studies done", 6.0, 1)):
        now = moment
        progress(what, count)
    assert stream.getvalue().split(CLEAR)[-1] == "deidfhir: studies done: 1"


def test_a_run_tells_it_on_stderr_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(instance(1, PatientIdentityRemoved="YES"), tmp_path / "in" / "1.dcm")
    write(instance(2, PatientIdentityRemoved="NO"), tmp_path / "in" / "2.dcm")
    monkeypatch.setattr(module, "_EVERY", {True: 0.0, False: 0.0})
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert run.err.splitlines() == [
        "deidfhir: files read: 2",
        "deidfhir: studies done: 1 of 2",
        "deidfhir: studies done: 2 of 2",
    ]
    assert run.report["studies"] == 2
    run = cli("verify", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert run.err.splitlines()[-1] == "deidfhir: studies compared: 2 of 2"


def test_a_study_that_is_refused_without_being_withdrawn_counts_as_done(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One instance twice, with other claims: nothing is known to be wrong with what was stated.
    for number, method in enumerate(("one", "two")):
        made = instance(1, PatientIdentityRemoved="YES", DeidentificationMethod=method)
        write(made, tmp_path / "in" / f"{number}.dcm")
    write(instance(2, PatientIdentityRemoved="YES"), tmp_path / "in" / "3.dcm")
    monkeypatch.setattr(module, "_EVERY", {True: 0.0, False: 0.0})
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert run.report["refused"] == 1
    assert run.err.splitlines()[-1] == "deidfhir: studies done: 2 of 2"


def test_studies_that_vanished_are_done_beside_those_that_were_read(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        write(instance(number, PatientIdentityRemoved="YES"), tmp_path / "in" / f"{number}.dcm")
    sync = ("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    cli(*sync)
    (tmp_path / "in" / "2.dcm").unlink()
    monkeypatch.setattr(module, "_EVERY", {True: 0.0, False: 0.0})
    run = cli(*sync)
    assert run.report["retired"] == 1
    assert run.err.splitlines()[-1] == "deidfhir: studies done: 3 of 3"


def test_a_real_terminal_gets_the_moving_line_and_no_line_is_left(tmp_path: Path) -> None:
    for number in range(400):
        write(instance(number + 1, PatientIdentityRemoved="YES"), tmp_path / "in" / f"{number}.dcm")
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            command("sync", tmp_path / "in", "--to", tmp_path / "out"),
            env=process_environment(),
            stdout=subprocess.PIPE,
            stderr=theirs,
            check=True,
            timeout=120,
        )
        text = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert re.search(r"\r\x1b\[Kdeidfhir: studies done: \d+ of 400", text)
    assert text.endswith(CLEAR)
    assert b"\x1b" not in done.stdout
