"""A target that is not what it should be: one line that says so, and the stated exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.integration.support import Archive, held

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli, Ran, Server

pytestmark = pytest.mark.usefixtures("namespace")
COMMANDS = ("sync", "verify")


def assert_failed(run: Ran, code: int, message: str) -> None:
    """Assert the exit code and the one line."""
    assert (run.code, run.err) == (code, f"deidfhir: {message}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_of_another_fhir_version_fails(
    cli: Cli, archive: Archive, server: Server, name: str
) -> None:
    path = archive.put(1)
    other, number = ("R5", "4.0.1") if server.fhir == "R4" else ("R4", "5.0.0")
    run = cli(name, path, "--to", server.url, "--fhir", other)
    assert_failed(
        run,
        1,
        f"{server.url} speaks FHIR {number}, not {other}: use --fhir, or another base URL",
    )


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("path", ["/nope", "/fhir/nope", "/"])
def test_a_url_that_is_no_fhir_base_fails(
    cli: Cli, archive: Archive, r4_server: Server, name: str, path: str
) -> None:
    file = archive.put(1)
    base = f"http://{urlsplit(r4_server.url).netloc}{path}"
    shown = base.rstrip("/")
    assert_failed(
        cli(name, file, "--to", base),
        1,
        f"{shown} answers, but not as a FHIR server (HTTP 404): check the base URL",
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_that_is_down_is_for_later(
    cli: Cli, archive: Archive, free_port: int, name: str
) -> None:
    path = archive.put(1)
    url = f"http://127.0.0.1:{free_port}/fhir"
    run = cli(name, path, "--to", url, "--timeout", "1")
    assert run.code == 5
    assert run.err.startswith(f"deidfhir: {url} cannot be reached (")
    assert run.err.count("\n") == 1


def test_nothing_is_asked_of_a_wrong_target_when_nothing_is_to_be_sent(
    cli: Cli, tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "nothing").mkdir()
    run = cli("sync", tmp_path / "nothing", "--to", f"http://127.0.0.1:{free_port}/fhir")
    assert run.code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_journal_of_another_target_fails(
    cli: Cli, archive: Archive, server: Server, tmp_path: Path, name: str
) -> None:
    path, journal = archive.put(1), tmp_path / "journal"
    assert cli("sync", path, "--to", tmp_path / "folder", "--journal", journal).code == 0
    run = cli(name, path, "--to", server.url, "--fhir", server.fhir, "--journal", journal)
    assert_failed(
        run,
        1,
        f"the journal {journal} belongs to another target, FHIR version or id namespace: "
        "give another one with --journal",
    )
    stated = cli("map", path).lines[0]["entry"]
    assert held(server.url, [entry["request"]["url"] for entry in stated]) == {}


def test_each_target_has_a_default_journal_of_its_own(
    cli: Cli, archive: Archive, r4_server: Server, tmp_path: Path
) -> None:
    archive.put(1)
    for target in (r4_server.url, tmp_path / "folder"):
        assert cli("sync", archive.folder, "--to", target).code == 0
        assert cli("sync", archive.folder, "--to", target, "--json").report["requests"] == 0
    journals = sorted((tmp_path / "home" / "state" / "deidfhir").glob("*.sqlite3"))
    assert [one.name.partition("-")[0] for one in journals] == ["folder", "server"]


def test_a_base_url_with_a_slash_at_its_end_is_the_same_target(
    cli: Cli, archive: Archive, r4_server: Server
) -> None:
    archive.put(1)
    assert cli("sync", archive.folder, "--to", r4_server.url).code == 0
    run = cli("sync", archive.folder, "--to", r4_server.url + "/", "--json")
    assert (run.code, run.report["requests"]) == (0, 0)
