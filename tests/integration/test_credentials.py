"""Passwords, tokens of someone else, and headers, in front of a real server that asks for them."""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gate import Gate
from tests.integration.support import Archive, Site, counted

PASSWORD = "CANARY pässword:1"  # noqa: S105
BASIC = f"Basic {b64encode(f'sync:{PASSWORD}'.encode()).decode()}"


@pytest.fixture
def gate(r4_site: Site) -> Iterator[Gate]:
    """Give a gate that lets nobody in until the test says whom."""
    with Gate(r4_site.url, lambda _: False) as made:
        yield made


@pytest.fixture
def access(tmp_path: Path) -> Path:
    """Give the path of an access file."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder / "access.toml"


@pytest.fixture(params=["file", "env"])
def place(request: pytest.FixtureRequest, access: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the password into a file, or into a variable."""
    found: str = request.param
    if found == "env":
        monkeypatch.setenv("SYNC_PASSWORD", PASSWORD)
    else:
        (access.parent / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    return found


def test_a_password_lets_in_from_a_file_or_a_variable(
    r4_site: Site, archive: Archive, gate: Gate, access: Path, place: str
) -> None:
    gate.lets_in = lambda shown: shown == BASIC
    source = {"file": "password", "env": "SYNC_PASSWORD"}[place]
    access.write_text(
        f'[auth]\nkind = "basic"\nuser = "sync"\npassword = {{ {place} = "{source}" }}\n'
    )
    run = r4_site.to(gate.url).sync(archive.put(1), "--access", access)
    assert (run.code, run.report["resources"]) == (0, counted(created=2))
    assert set(gate.shown) == {BASIC}
    assert "CANARY" not in run.out + run.err
    journal = r4_site.journal.read_bytes()
    assert b"CANARY" not in journal


def test_no_netrc_is_read(
    r4_site: Site, archive: Archive, gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login sync password CANARY\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    run = r4_site.to(gate.url).sync(archive.put(1))
    assert (run.code, set(gate.shown)) == (1, {None})
    assert "asks for credentials" in run.report["error"]


def test_a_wrong_password_is_asked_for_once(
    r4_site: Site, archive: Archive, gate: Gate, access: Path
) -> None:
    (access.parent / "password").write_text("CANARY wrong")
    access.write_text('[auth]\nkind = "basic"\nuser = "sync"\npassword = { file = "password" }\n')
    run = r4_site.to(gate.url).sync(archive.put(1), "--access", access)
    assert (run.code, len(gate.shown)) == (1, 1)
    assert run.report["error"] == (
        f"{gate.url} refuses the user or password: check [auth] of the access file"
    )


@pytest.mark.parametrize("place", ["file", "command"])
def test_a_token_that_is_refused_is_looked_up_again_in_its_place(
    r4_site: Site, archive: Archive, gate: Gate, access: Path, place: str
) -> None:
    token = access.parent / "token"
    token.write_text("CANARY-old\n")
    script = access.parent / "fetch.py"
    script.write_text(f"print(open({os.fspath(token)!r}).read())")
    command = f'{{ command = ["{sys.executable}", "{script}"] }}'
    source = '{ file = "token" }' if place == "file" else command
    access.write_text(f'[auth]\nkind = "bearer"\ntoken = {source}\n')
    gate.lets_in = lambda shown: shown == "Bearer CANARY-old"

    def replaced(number: int) -> None:
        if number == 3:  # in the middle of the run
            token.write_text("CANARY-new\n")
            gate.lets_in = lambda shown: shown == "Bearer CANARY-new"

    gate.before = replaced
    files = [archive.put(number) for number in range(1, 5)]
    run = r4_site.to(gate.url).sync(*files, "--access", access)
    assert (run.code, run.report["resources"]) == (0, counted(created=8))
    assert (gate.refused, run.report["traffic"]["repeated"]) == (1, 0)
    gate.lets_in = lambda _: False
    again = r4_site.to(gate.url).verify(*files, "--access", access)
    assert again.code == 1
    assert "it has expired or was revoked" in again.report["error"]
    assert "CANARY" not in run.out + run.err + again.out + again.err


def test_a_sites_own_headers_go_with_every_request(
    r4_site: Site, archive: Archive, gate: Gate, access: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.lets_in = lambda _: True
    monkeypatch.setenv("GATEWAY_KEY", "CANARY-key")
    access.write_text('[headers]\nX-Tenant = "north"\nX-Api-Key = { env = "GATEWAY_KEY" }\n')
    run = r4_site.to(gate.url).sync(archive.put(1), "--access", access)
    assert run.code == 0
    assert {one["X-Tenant"] for one in gate.seen} == {"north"}
    assert {one["X-Api-Key"] for one in gate.seen} == {"CANARY-key"}
    assert "CANARY" not in run.out + run.err


@pytest.mark.parametrize("command", ["verify", "install", "reverse"])
def test_every_command_that_asks_a_server_takes_the_access_file(
    r4_site: Site, archive: Archive, gate: Gate, access: Path, command: str
) -> None:
    gate.lets_in = lambda shown: shown == BASIC
    (access.parent / "password").write_text(PASSWORD, encoding="utf-8")
    access.write_text('[auth]\nkind = "basic"\nuser = "sync"\npassword = { file = "password" }\n')
    given = {
        "verify": ("verify", archive.put(1), "--to", gate.url),
        "install": ("install", "--to", gate.url),
        "reverse": ("reverse", "--from", gate.url, "--study", archive.uid(1)),
    }[command]
    run = r4_site.cli(*given, "--access", access)
    assert run.code in (0, 3)
    assert gate.shown
    assert set(gate.shown) == {BASIC}


def test_a_secret_that_is_not_there_is_told_before_anything_is_read(
    r4_site: Site, archive: Archive, gate: Gate, access: Path
) -> None:
    access.write_text('[auth]\nkind = "basic"\nuser = "sync"\npassword = { env = "NOT_THERE" }\n')
    run = r4_site.to(gate.url).sync(archive.put(1), "--access", access)
    assert (run.code, gate.shown) == (1, [])
    assert run.report == {
        "error": "the variable NOT_THERE, which the access file names, gives no secret: not set",
        "exit_code": 1,
    }
