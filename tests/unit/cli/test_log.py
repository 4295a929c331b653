"""--log: what happens in a run, one JSON object a line, of allowed events and fields alone."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deidfhir
from deidfhir.pipeline.eventlog import EventLog
from deidfhir.tables import table
from deidfhir.web.events import Events, Field, run_id
from tests.conftest import command, process_environment
from tests.integration.fake import FakeServer, Reply, accepted, outcome
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

Lines = list[dict[str, Any]]
SOURCES = Path(deidfhir.__file__).parent


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write two removed studies."""
    for number in (1, 2):
        made = instance(number, PatientIdentityRemoved="YES", DeidentificationMethod="tool")
        write(made, tmp_path / "in" / f"{number}.dcm")
    return tmp_path / "in"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the file's path."""
    return tmp_path / "log.jsonl"


def lines(path: Path) -> Lines:
    """Return the lines, and require that each has its event's fields and no other."""
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    found = [json.loads(line) for line in text.splitlines()]
    for one in found:
        assert list(one)[:3] == ["time", "event", "run"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", one["time"])
        assert set(one) - {"time", "event", "run"} <= set(
            table("events.toml")["event"][one["event"]]["fields"]
        )
    return found


def of(found: Lines, event: str) -> Lines:
    """Return the lines of an event, as far as they tell of it."""
    return [
        {key: text for key, text in one.items() if key not in ("time", "event", "run")}
        for one in found
        if one["event"] == event
    ]


def test_a_run_is_told_from_its_beginning_to_its_end(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    out = tmp_path / "out"
    assert cli("sync", archive, "--to", out, "--log", file).code == 0
    found = lines(file)
    assert [one["event"] for one in found] == [
        *("run-started", "read", "planned", "planned", "acknowledged", "acknowledged"),
        "run-ended",
    ]
    assert len({one["run"] for one in found}) == 1
    (started,), (ended,) = of(found, "run-started"), of(found, "run-ended")
    assert started == {
        "command": "sync",
        "target": str(out),
        "fhir": "R4",
        "dry_run": False,
        "version": deidfhir.__version__,
    }
    assert of(found, "read") == [{"studies": 2, "instances": 2, "skipped": 0, "foreign": 0}]
    assert 0 < ended.pop("seconds") < 60
    assert ended == {
        "exit_code": 0,
        "created": 4,
        "updated": 0,
        "unchanged": 0,
        "deleted": 0,
        "failed": 0,
    }
    studies = [json.loads(one) for one in (out / "ImagingStudy.ndjson").read_text().splitlines()]
    ids = sorted(one["id"] for one in studies)
    assert sorted(one["study"] for one in of(found, "acknowledged")) == ids
    assert {(one["puts"], one["deletes"]) for one in of(found, "planned")} == {(2, 0)}


def test_runs_are_added_each_with_a_name_of_its_own(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    for name in ("sync", "verify", "sync"):
        cli(name, archive, "--to", tmp_path / "out", "--log", file)
    found = lines(file)
    assert [one["command"] for one in of(found, "run-started")] == ["sync", "verify", "sync"]
    assert len({one["run"] for one in found}) == 3


def test_what_is_refused_set_aside_and_withdrawn_is_told_by_study(
    cli: Cli, archive: Path, file: Path
) -> None:
    with FakeServer() as server:
        server.transaction = lambda _: Reply(422, outcome("HAPI-1821: quoted"))
        sync = ("sync", archive, "--to", server.url, "--log", file)
        assert cli(*sync).code == 3
        letters = cli("dead", "list", "--to", server.url, "--json").report["letters"]
        found = lines(file)
        refused = of(found, "refused")
        assert {one["study"] for one in refused} == {one["id"] for one in letters}
        assert {(one["status"], one["server_code"], one["cause"]) for one in refused} == {
            (422, "HAPI-1821", "data")
        }
        assert {one["study"] for one in of(found, "set-aside")} == {one["id"] for one in letters}
    assert "quoted" not in file.read_text("utf-8")


def test_what_is_withdrawn_is_told(cli: Cli, archive: Path, tmp_path: Path, file: Path) -> None:
    sync = ("sync", archive, "--to", tmp_path / "out", "--log", file)
    cli(*sync)
    write(instance(1, PatientIdentityRemoved="NO"), archive / "1.dcm")
    cli(*sync)
    (one,) = of(lines(file), "withdrawn")
    assert one["study"] in (tmp_path / "out" / "ImagingStudy.ndjson").read_text("utf-8")


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("http://h/fhir", "http://h/fhir"),
        ("http://user:secret@h/fhir", ""),
        ("ftp://user:secret@h/fhir", ""),
    ],
)
def test_a_run_that_fails_says_why_at_its_end(
    cli: Cli, tmp_path: Path, file: Path, to: str, shown: str
) -> None:
    cli("sync", tmp_path / "none", "--to", to, "--log", file)
    found = lines(file)
    assert [one["event"] for one in found] == ["run-started", "run-ended"]
    assert found[0]["target"] == shown
    assert (found[1]["exit_code"], found[1]["error"]) == (2, "path-missing")
    assert "secret" not in file.read_text("utf-8")


def test_a_target_that_is_down_is_told_as_what_ended_the_run(
    cli: Cli, archive: Path, file: Path
) -> None:
    to = ("--to", "http://127.0.0.1:9/fhir", "--timeout", "0.5")
    assert cli("sync", archive, *to, "--log", file).code == 5
    (ended,) = of(lines(file), "run-ended")
    assert (ended["exit_code"], ended["error"]) == (5, "target-down")


def test_the_file_is_its_owners_alone(cli: Cli, archive: Path, tmp_path: Path, file: Path) -> None:
    file.write_text("")
    file.chmod(0o644)
    cli("sync", archive, "--to", tmp_path / "out", "--log", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_opened_ends_with_1_and_nothing_is_begun(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    file = tmp_path / "none" / "log"
    run = cli("sync", archive, "--to", tmp_path / "out", "--log", file)
    assert (run.code, run.out) == (1, "")
    assert str(file) in run.err
    assert not (tmp_path / "out").exists()


def test_a_disk_that_is_full_ends_with_1_after_the_work(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    run = cli("sync", archive, "--to", tmp_path / "out", "--log", "/dev/full", "--json")
    assert run.code == 1
    assert run.report["resources"]["created"] == 4
    assert "/dev/full" in run.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("study", "DOE^JOHN"),
        ("study", "a b"),
        ("study", "x" * 65),
        ("study", 7.5),
        ("cause", "doe-john"),
        ("server_code", "Doe"),
        ("server_code", "HAPI-1821: Doe"),
        ("status", "422 Doe"),
        ("status", True),
        ("path", "/archive/doe"),
    ],
)
def test_no_value_of_another_form_is_written(file: Path, field: str, value: Field) -> None:
    log = EventLog(file, lambda: 0.0)
    Events(log, "0" * 13)("refused", **{field: value})
    Events(log, "DOE")("made-up", study="s1")
    log.close()
    (line,) = file.read_text("utf-8").splitlines()
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "event": "refused",
        "run": "0" * 13,
    }


@pytest.mark.parametrize(("chance", "name"), [(0.0, "0" * 13), (0.5, "8" + "0" * 12)])
def test_a_run_is_named_by_chance_that_is_given(chance: float, name: str) -> None:
    assert run_id(lambda: chance) == name
    events = Events(run=name)
    assert [events.request_id(), events.request_id()] == [f"{name}-1", f"{name}-2"]


def test_runs_have_names_that_differ() -> None:
    assert len({Events().run for _ in range(100)}) == 100


def told_in_code() -> Iterator[tuple[str, set[str]]]:
    """Yield each event that code tells of, with the fields that it names."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("events"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, {one.arg for one in node.keywords if one.arg}


def test_code_tells_of_exactly_the_events_of_the_table() -> None:
    rows = table("events.toml")["event"]
    told = list(told_in_code())
    assert {event for event, _ in told} == set(rows)
    for event, fields in told:
        assert fields <= set(rows[event]["fields"])
    named = {name for row in rows.values() for name in row["fields"]}
    assert named | {"run"} == set(table("events.toml")["field"])


def test_each_request_is_told_with_the_name_that_the_server_is_given(
    cli: Cli, archive: Path, file: Path
) -> None:
    answers = iter([Reply(503, headers={"Retry-After": "0"}), Reply(503)])
    with FakeServer() as server:
        server.transaction = lambda sent: next(answers, None) or accepted(sent)
        run = cli("sync", archive, "--to", server.url, "--log", file, "--json")
        named = [one.name for one in server.log]
    found = lines(file)
    answered = of(found, "answered")
    assert [one["request"] for one in answered] == named
    assert len(answered) == run.report["requests"]
    writes = [one for one in answered if one["kind"] == "transaction"]
    assert [(one["status"], one["attempt"]) for one in writes] == [(503, 1), (503, 2), (200, 3)]
    ids = {one["study"] for one in of(found, "planned")}
    assert all(set(one["study_list"]) == ids for one in writes)
    assert sum(one["sent"] for one in answered) == run.report["traffic"]["sent"]
    assert sum(one["received"] for one in answered) == run.report["traffic"]["received"]
    assert run.report["traffic"]["repeated"] == 2
    waited = sum(one["seconds"] for one in of(found, "waiting"))
    assert waited == pytest.approx(run.report["traffic"]["waited"], abs=0.01)
    kinds = {one["kind"] for one in answered}
    assert kinds == {"metadata", "ImagingStudy", "Provenance", "transaction"}


def test_a_request_that_nobody_answers_is_told(cli: Cli, archive: Path, file: Path) -> None:
    with FakeServer() as server:
        server.transaction = lambda _: Reply(silent=True)
        run = cli("sync", archive, "--to", server.url, "--timeout", "1", "--log", file, "--json")
    unanswered = of(lines(file), "unanswered")
    assert len(unanswered) == run.report["traffic"]["unanswered"] > 0
    (kind,) = {one["kind"] for one in unanswered}
    assert kind == "transaction"
    assert all(one["milliseconds"] > 0 and len(one["study_list"]) == 2 for one in unanswered)


def test_a_process_that_is_killed_leaves_whole_lines(archive: Path, file: Path) -> None:
    with FakeServer() as server:
        asked = threading.Event()

        def keep(_: object) -> Reply:
            asked.set()
            return Reply(silent=True)

        server.transaction = keep
        words = command("sync", archive, "--to", server.url, "--log", file)
        with subprocess.Popen(words, env=process_environment()) as running:
            assert asked.wait(60)
            running.kill()
    found = lines(file)
    assert [one["event"] for one in found[:2]] == ["run-started", "read"]
    assert len(of(found, "planned")) == 2
    assert of(found, "run-ended") == []
