"""File names of any bytes, and output that is closed early."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
