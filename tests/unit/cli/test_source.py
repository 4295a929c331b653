"""`--from` and its filters on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli

AT = "dicomweb+http://127.0.0.1:9/dicom-web"


@pytest.mark.parametrize("command", ["show", "map", "sync", "verify"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "http://h/dicom-web"], ["--from", "dicomweb+https://"]),
        (["--from", "dicomweb+ftp://h/x"], ["dicomweb+https://"]),
        (["--from", "dicomweb+https://"], ["dicomweb+https://"]),
        (["--from", "dicomweb+https://h/x?y=1"], ["no query"]),
        (["--from", "dicomweb+https://[h/x"], ["dicomweb+https://"]),
        (["--from", "archive"], ["dicomweb+https://"]),
        (["--from", "dicomweb+https://u:PLANTED@h/x"], ["--source-access"]),
        (["--from", AT, "."], ["not both"]),
        ([".", "--modality", "CT"], ["--from"]),
        ([".", "--limit", "3"], ["--limit", "--from"]),
        ([".", "--query", "StudyDate=20260101"], ["--from"]),
        (["--from", AT, "--query", "StudyDate"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "StudyDate="], ["KEY=VALUE"]),
        (["--from", AT, "--query", "=1"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "Study Date=1"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "limit=3"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "Offset=3"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "includefield=all"], ["KEY=VALUE"]),
        (["--from", AT, "--query", "A=1", "--query", "A=2"], ["each once"]),
        (["--from", AT, "--study-date", "1", "--query", "StudyDate=2"], ["each once"]),
        (["--from", AT, "--modality", ""], ["--modality"]),
        (["--from", AT, "--study-date", " "], ["--study-date"]),
        (["--from", AT, "--query", "PatientName=D\udcc3"], ["--query"]),
        (["--from", AT, "--limit", "-1"], ["--limit"]),
        (["--from", AT, "--limit", "many"], ["--limit"]),
        (["--from", AT, "--source-access", ""], ["--source-access"]),
        (["--from", AT, "--source-access", "nowhere.toml"], ["nowhere.toml"]),
    ],
)
def test_a_wrong_source_is_told_in_one_line_before_anything_is_asked(
    cli: Cli, tmp_path: Path, command: str, arguments: list[str], words: list[str]
) -> None:
    to = ["--to", str(tmp_path / "out")] if command in ("sync", "verify") else []
    run = cli(command, *arguments, *to)
    assert (run.code, run.out) == (2, "")
    assert run.err.count("\n") == 1
    assert all(word in run.err for word in words), run.err
    assert "PLANTED" not in run.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["show", "map", "sync", "verify"])
def test_neither_paths_nor_an_archive_is_usage(cli: Cli, tmp_path: Path, command: str) -> None:
    to = ["--to", str(tmp_path / "out")] if command in ("sync", "verify") else []
    run = cli(command, *to)
    assert (run.code, run.out) == (2, "")
    assert f"(PATH), or an archive (--from); see deidfhir {command} --help" in run.err


def test_an_archive_that_is_down_is_told_in_one_line(cli: Cli) -> None:
    run = cli("show", "--from", AT, "--timeout", "0.2")
    assert (run.code, run.out) == (5, "")
    assert run.err.startswith("deidfhir: http://127.0.0.1:9/dicom-web cannot be reached")


@pytest.mark.parametrize("value", ["-1", "1.5", "all", "1000001"])
def test_a_sample_that_is_no_number_is_usage(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEIDFHIR_SOURCE_SAMPLE", value)
    run = cli("show", "--from", AT)
    assert run.code == 2
    assert "from 0 to 1000000" in run.err


def test_doctor_wants_somewhere_to_walk_to(cli: Cli) -> None:
    run = cli("doctor")
    assert (run.code, run.out) == (2, "")
    assert "(--to)" in run.err
    assert "(--from)" in run.err


def test_doctor_names_the_leg_to_an_archive_that_fails(cli: Cli, tmp_path: Path) -> None:
    run = cli("doctor", "--from", AT, "--to", tmp_path / "out", "--timeout", "0.2", "--json")
    assert run.code == 5
    states = {one["leg"]: one["state"] for one in run.report["source_legs"]}
    assert states == {
        **dict.fromkeys(("site", "dns"), "ok"),
        "tcp": "failed",
        **dict.fromkeys(("tls", "credentials", "search", "metadata", "changes"), "not reached"),
    }
    assert run.report["archive"] == "http://127.0.0.1:9/dicom-web"
    assert {one["state"] for one in run.report["legs"]} == {"ok"}
    told = cli("doctor", "--from", AT, "--timeout", "0.2")
    assert told.out.startswith("archive     http://127.0.0.1:9/dicom-web\nsite        ok\n")
