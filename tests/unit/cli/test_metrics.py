"""--metrics: what a run writes for Prometheus, read with Prometheus' own parser."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deidfhir.pipeline.textfile import sample, textfile, write_textfile
from deidfhir.tables import table
from tests.integration.fake import FakeServer, Reply, accepted, outcome
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
SHARED = {"command", "target", "fhir"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write two removed studies, a refused one and a broken file."""
    for number in (1, 2):
        made = instance(number, PatientIdentityRemoved="YES", DeidentificationMethod="tool")
        write(made, tmp_path / "in" / f"{number}.dcm")
    write(instance(3, PatientIdentityRemoved="NO"), tmp_path / "in" / "3.dcm")
    (tmp_path / "in" / "4.dcm").write_bytes(b"")
    return tmp_path / "in"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the file's path."""
    return tmp_path / "deidfhir.prom"


def parsed(path: Path) -> Series:
    """Return the samples of a file, and require that it is as node_exporter wants it."""
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    found: Series = {}
    for family in text_string_to_metric_families(text):
        row = table("metrics.toml")[
            f"{family.name}_total" if family.type == "counter" else family.name
        ]
        assert (family.type, family.documentation) == (row["type"], row["help"])
        for one in family.samples:
            assert one.timestamp is None  # node_exporter refuses a file with any
            assert set(one.labels) - {"le"} == SHARED | set(row.get("labels", ()))
            more = {key: text for key, text in one.labels.items() if key not in SHARED}
            key = (one.name, tuple(more.items()))
            assert key not in found
            found[key] = one.value
    return found


def one(series: Series, name: str, **labels: str) -> float:
    """Return one number."""
    return series[f"deidfhir_{name}", tuple(labels.items())]


def test_the_numbers_are_those_of_the_report(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    before = time.time()
    run = cli("sync", archive, "--to", tmp_path / "out", "--metrics", file, "--json")
    told = parsed(file)
    assert one(told, "last_run_exit_code") == run.code == 3
    assert before <= one(told, "last_run_timestamp_seconds") <= time.time()
    assert one(told, "last_complete_timestamp_seconds") == one(told, "last_run_timestamp_seconds")
    assert ("deidfhir_last_success_timestamp_seconds", ()) not in told
    assert 0 < one(told, "last_run_duration_seconds") < 60
    for verdict, count in run.report["verdicts"].items():
        assert one(told, "last_run_studies", verdict=verdict) == count
    for what, count in run.report["resources"].items():
        assert one(told, "resources_total", outcome=what) == count
    assert one(told, "last_run_instances") == run.report["instances"] == 3
    assert one(told, "last_run_refused_studies") == run.report["refused"] == 1
    assert one(told, "last_run_skipped_files") == run.report["skipped"] == 1
    assert one(told, "dead_letters") == 0
    assert one(told, "runs_total", exit_code="3") == 1


def test_the_file_names_the_run(cli: Cli, archive: Path, file: Path) -> None:
    with FakeServer() as server:
        cli("sync", archive, "--to", server.url, "--metrics", file)
    assert f'{{command="sync",target="{server.url}",fhir="R4"}}' in file.read_text("utf-8")


def test_what_the_requests_cost_is_told(cli: Cli, archive: Path, file: Path) -> None:
    answers = iter([Reply(503, headers={"Retry-After": "0"})])
    with FakeServer() as server:
        server.transaction = lambda sent: next(answers, None) or accepted(sent)
        run = cli("sync", archive, "--to", server.url, "--metrics", file, "--json")
    told, traffic = parsed(file), run.report["traffic"]
    for status, count in traffic["statuses"].items():
        assert one(told, "requests_total", status=status) == count
    assert one(told, "requests_total", status="503") == 1
    assert one(told, "requests_total", status="none") == 0
    assert one(told, "request_retries_total") == traffic["repeated"] == 1
    assert one(told, "request_wait_seconds_total") == pytest.approx(traffic["waited"], abs=0.001)
    assert one(told, "sent_bytes_total") == traffic["sent"] > 0
    assert one(told, "received_bytes_total") == traffic["received"] > 0
    name = "request_duration_seconds"
    assert one(told, f"{name}_count") == sum(traffic["statuses"].values())
    assert one(told, f"{name}_bucket", le="+Inf") == one(told, f"{name}_count")
    assert one(told, f"{name}_bucket", le="60.0") >= one(told, f"{name}_bucket", le="0.05")
    assert 0 < one(told, f"{name}_sum") < 60


def test_what_is_set_aside_is_told(cli: Cli, archive: Path, file: Path) -> None:
    with FakeServer() as server:
        server.transaction = lambda _: Reply(422, outcome(code="invariant"))
        cli("sync", archive, "--to", server.url, "--metrics", file)
        told = parsed(file)
        assert one(told, "last_run_troubles", finding="rejected") == 2
        assert one(told, "dead_letters") == 2
        cli("dead", "drop", "--all", "--to", server.url)
        cli("sync", archive, "--to", server.url, "--metrics", file)
    told = parsed(file)
    assert one(told, "dead_letters") == 0
    assert ("deidfhir_last_run_troubles", (("finding", "rejected"),)) not in told


def test_counters_go_on_and_gauges_are_of_the_last_run(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    (archive / "3.dcm").unlink()
    (archive / "4.dcm").unlink()
    sync = ("sync", archive, "--to", tmp_path / "out", "--metrics", file)
    assert cli(*sync).code == 0
    first = parsed(file)
    made = instance(5, PatientIdentityRemoved="NO")
    write(made, archive / "5.dcm")
    assert cli(*sync).code == 3
    second = parsed(file)
    assert one(second, "resources_total", outcome="created") == 4
    assert one(second, "resources_total", outcome="unchanged") == 4
    assert one(second, "runs_total", exit_code="0") == one(second, "runs_total", exit_code="3") == 1
    assert one(second, "last_run_studies", verdict="not-removed") == 1
    assert one(first, "last_run_studies", verdict="not-removed") == 0
    success = "last_success_timestamp_seconds"
    assert one(second, success) == one(first, success) < one(second, "last_run_timestamp_seconds")


@pytest.mark.parametrize(
    ("to", "code"),
    [("http://127.0.0.1:9/fhir", 5), ("http://user:secret@h/", 2), ("ftp://user:secret@h/", 2)],
)
def test_a_run_that_fails_is_told_too(
    cli: Cli, archive: Path, file: Path, to: str, code: int
) -> None:
    for number in (1, 2):
        run = cli("sync", archive, "--to", to, "--timeout", "0.5", "--metrics", file)
        told = parsed(file)
        assert one(told, "last_run_exit_code") == run.code == code
        assert one(told, "runs_total", exit_code=str(code)) == number
        assert ("deidfhir_last_complete_timestamp_seconds", ()) not in told
    assert "secret" not in file.read_text("utf-8")


def test_a_path_that_is_not_there_is_told(cli: Cli, tmp_path: Path, file: Path) -> None:
    run = cli("verify", tmp_path / "none", "--to", tmp_path / "out", "--metrics", file)
    assert one(parsed(file), "last_run_exit_code") == run.code == 2


def test_verify_tells_what_it_compared(cli: Cli, archive: Path, tmp_path: Path, file: Path) -> None:
    run = cli("verify", archive, "--to", tmp_path / "out", "--metrics", file, "--json")
    told = parsed(file)
    for state in ("ok", "missing", "drifted"):
        assert one(told, "last_run_compared_resources", state=state) == run.report[state]
    assert one(told, "last_run_compared_resources", state="missing") == 4
    assert one(told, "last_run_refused_studies") == 1


def test_a_repair_tells_what_it_sent_and_what_differs_after_it(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    verify = ("verify", archive, "--to", tmp_path / "out", "--repair", "--metrics", file)
    run = cli(*verify, "--json")
    told = parsed(file)
    assert run.report["missing"] == 4
    assert one(told, "last_run_compared_resources", state="missing") == 0
    assert one(told, "last_run_compared_resources", state="ok") == 4
    assert one(told, "resources_total", outcome="created") == 4


def test_every_metric_of_the_table_is_written_by_some_run(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    with FakeServer() as server:
        server.transaction = lambda _: Reply(422, outcome(code="invariant"))
        cli("sync", archive, "--to", server.url, "--metrics", file)
    other = tmp_path / "verify.prom"
    (archive / "3.dcm").unlink()
    (archive / "4.dcm").unlink()
    cli("sync", archive, "--to", tmp_path / "out")
    cli("verify", archive, "--to", tmp_path / "out", "--metrics", other)
    written = {
        line.split()[2]
        for path in (file, other)
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("# TYPE")
    }
    of_runs = {one for one in table("metrics.toml") if "_gateway_" not in one}
    assert written == of_runs


def test_a_dry_run_writes_none(cli: Cli, archive: Path, tmp_path: Path, file: Path) -> None:
    cli("sync", archive, "--to", tmp_path / "out", "--dry-run", "--metrics", file)
    assert not file.exists()


def test_the_file_is_replaced_whole_and_may_be_read_by_all(
    cli: Cli, archive: Path, tmp_path: Path, file: Path
) -> None:
    sync = ("sync", archive, "--to", tmp_path / "out", "--metrics", file)
    cli(*sync)
    before = file.stat().st_ino
    cli(*sync)
    assert file.stat().st_ino != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.glob(".*")] == []


def test_a_file_that_cannot_be_written_ends_with_1_after_the_work(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    file = tmp_path / "none" / "deidfhir.prom"
    run = cli("sync", archive, "--to", tmp_path / "out", "--metrics", file, "--json")
    assert run.code == 1
    assert str(file) in run.err
    assert run.report["resources"]["created"] == 4


LABELS = {"command": "sync", "target": "/a", "fhir": "R4"}


@pytest.mark.parametrize(
    "before",
    [
        "no metrics at all",
        "deidfhir_runs_total{} x\n\n# \n} 1",
        'deidfhir_runs_total{command="sync",target="/b",fhir="R4",exit_code="0"} 7\n',
        'deidfhir_runs_total{command="sync",target="/a",fhir="R4",exit_code="0"} NaN\n',
        'other_total{command="sync",target="/a",fhir="R4"} 7\n',
    ],
)
def test_what_a_file_says_of_something_else_counts_for_nothing(before: str) -> None:
    run = [sample("deidfhir_runs_total", 1, exit_code="0")]
    assert textfile(run, LABELS, before) == textfile(run, LABELS, "")
    again = textfile(run, LABELS, textfile(run, LABELS, ""))
    assert again.endswith('exit_code="0"} 2\n')


def test_a_target_of_any_name_is_told_as_a_label_that_can_be_read(tmp_path: Path) -> None:
    name = 'a"b\\c\nd\u20ac\udcff\r'
    file = tmp_path / "x.prom"
    for count in (1, 2):
        run = [sample("deidfhir_runs_total", 1, exit_code="0")]
        write_textfile(file, run, {**LABELS, "target": name})
        (family,) = text_string_to_metric_families(file.read_text("utf-8"))
        (found,) = family.samples
        assert found.labels["target"] == 'a"b\\c\\nd\u20ac\\udcff\\r'
        assert found.value == count
