"""File names of any bytes, output that is closed early, and progress."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from deidfhir.cli import progress as module
from deidfhir.cli.progress import Progress
from tests.conftest import command, process_environment
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

ODD = os.fsdecode(b"caf\xe9 \xff.dcm")
MOVING = "a\x1b[2Jb\nc.dcm"


def study(path: Path, **attributes: object) -> Path:
    """Write one object."""
    stated = {"PatientIdentityRemoved": "NO", **attributes}
    try:
        return write(instance(1, **stated), path)  # type: ignore[arg-type]
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")


@pytest.mark.parametrize("name", ["show", "map", "sync", "verify"])
def test_a_name_that_is_not_utf_8_is_told_without_harm(
    process: Cli, tmp_path: Path, name: str
) -> None:
    study(tmp_path / "in" / ODD)
    to = ("--to", tmp_path / "out") if name in ("sync", "verify") else ()
    run = process(name, tmp_path / "in", *to)
    assert run.code == (0 if name == "show" else 3)
    assert "Traceback" not in run.err
    assert "caf\\udce9 \\udcff.dcm" in run.out + run.err


def test_a_name_that_is_not_utf_8_comes_back_from_the_json_as_it_is(
    process: Cli, tmp_path: Path
) -> None:
    path = study(tmp_path / "in" / ODD)
    run = process("show", tmp_path / "in", "--json")
    assert json.loads(run.out)["studies"][0]["path"] == str(path)


@pytest.mark.parametrize("name", ["show", "explain"])
def test_a_path_that_is_not_utf_8_can_be_given(process: Cli, tmp_path: Path, name: str) -> None:
    path = study(tmp_path / ODD)
    assert process(name, os.fsencode(path)).code == 0
    missing = process(name, os.fsencode(tmp_path / ODD) + b"x")
    assert missing.code == 2
    assert missing.err.count("\n") == 1


def test_a_target_folder_and_journal_that_are_not_utf_8_work(process: Cli, tmp_path: Path) -> None:
    path = study(tmp_path / "in" / "1.dcm", PatientIdentityRemoved="YES")
    folder, journal = tmp_path / f"out{ODD}", tmp_path / f"journal{ODD}"
    given = ("--to", os.fsencode(folder), "--journal", os.fsencode(journal))
    assert process("sync", path, *given).code == 0
    assert folder.is_dir()
    assert process("sync", path, *given).code == 0
    assert process("sync", path, "--to", os.fsencode(folder)).code == 0
    assert process("verify", path, *given).code == 0


@pytest.mark.parametrize("name", ["show", "sync"])
def test_a_name_with_control_characters_moves_no_cursor(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    study(tmp_path / "in" / MOVING)
    (tmp_path / "in" / "x\x1b[2J.dcm").write_bytes(b"")
    to = ("--to", tmp_path / "out") if name == "sync" else ()
    run = cli(name, tmp_path / "in", *to)
    assert "\x1b" not in run.out + run.err
    assert "a\\x1b[2Jb\\nc.dcm" in run.out


def test_output_that_nobody_reads_any_more_is_no_traceback(tmp_path: Path) -> None:
    for number in range(60):
        write(instance(number + 1, PatientIdentityRemoved="YES"), tmp_path / f"{number}.dcm")
    with subprocess.Popen(
        command("map", tmp_path),
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        err = running.stderr.read()
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
    assert running.returncode == 1


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def ticks(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *moments: float) -> str:
    """Return what a progress tells when it is called at some moments, then closed."""
    times = iter([0.0, *moments])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    progress = Progress(stream)
    for number, _ in enumerate(moments, start=1):
        progress("files read", number)
    progress.close()
    return stream.getvalue()


def test_progress_elsewhere_is_a_plain_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = ticks(io.StringIO(), monkeypatch, 1, 9.9, 10, 11, 19.9, 20.1)
    assert told == "deidfhir: files read: 3\ndeidfhir: files read: 6\n"


def test_a_short_run_tells_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ticks(io.StringIO(), monkeypatch, 0.1, 0.2) == ""
    assert ticks(Terminal(), monkeypatch, 0.05, 0.1) == ""


def test_progress_on_a_terminal_is_one_moving_line_that_goes_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = ticks(Terminal(), monkeypatch, 0.1, 0.3, 0.4, 0.6)
    assert told == ("\r\x1b[Kdeidfhir: files read: 2\r\x1b[Kdeidfhir: files read: 4\r\x1b[K")


def test_a_run_tells_progress_on_stderr_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study(tmp_path / "in" / "1.dcm", PatientIdentityRemoved="YES")
    monkeypatch.setattr(module, "_EVERY", {True: 0.0, False: 0.0})
    run = cli("sync", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert run.err == "deidfhir: files read: 1\ndeidfhir: studies done: 1\n"
    assert run.report["studies"] == 1
    run = cli("verify", tmp_path / "in", "--to", tmp_path / "out", "--json")
    assert run.err == "deidfhir: files read: 1\ndeidfhir: studies compared: 1\n"
