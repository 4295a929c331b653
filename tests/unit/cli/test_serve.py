"""`serve`: what it refuses before it listens."""

from __future__ import annotations

import builtins
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Cli

WORD = "a-token-for-this-test"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """Give a token file."""
    path = tmp_path / "tokens"
    path.write_text(f"{WORD}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])  # noqa: S104
def test_an_address_that_others_reach_takes_tokens_and_tls(
    cli: Cli, tokens: Path, host: str
) -> None:
    bare = cli("serve", "--host", host)
    plain = cli("serve", "--host", host, "--token-file", tokens)
    assert (bare.code, plain.code) == (2, 2)
    assert "--token-file FILE" in bare.err
    assert "--tls-certificate FILE" in plain.err


def test_a_key_belongs_to_a_certificate(cli: Cli, tmp_path: Path) -> None:
    run = cli("serve", "--tls-key", tmp_path / "key.pem")
    assert (run.code, "--tls-certificate" in run.err) == (2, True)


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_certificate_that_cannot_be_used_is_told(
    cli: Cli, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "host.pem"
    if content is not None:
        path.write_bytes(content)
    run = cli("serve", "--tls-certificate", path)
    assert run.code == 2
    assert run.err == (
        f"deidfhir: the certificate cannot be used: {path}; check that it and --tls-key are PEM, "
        "belong together, and need no password\n"
    )


def test_a_token_file_that_cannot_be_used_is_told(cli: Cli, tmp_path: Path) -> None:
    run = cli("serve", "--token-file", tmp_path / "none")
    assert (run.code, str(tmp_path / "none") in run.err) == (2, True)
    (tmp_path / "short").write_text("secret")
    run = cli("serve", "--token-file", tmp_path / "short")
    assert (run.code, "openssl rand -hex 32" in run.err) == (2, True)
    assert "secret" not in run.err


def test_a_port_that_is_taken_is_told(cli: Cli, tokens: Path) -> None:
    tokens.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = cli("serve", "--port", port, "--token-file", tokens)
    assert run.code == 1
    shared, told = run.err.splitlines()
    assert shared == f"deidfhir: others may read {tokens}: chmod 600 it"
    assert told.startswith(f"deidfhir: nothing can listen on 127.0.0.1, port {port}: ")


def test_an_address_of_another_host_is_told(cli: Cli, tokens: Path) -> None:
    given = ("--host", "192.0.2.1", "--token-file", tokens, "--behind-proxy")
    run = cli("serve", *given)
    assert (run.code, "192.0.2.1" in run.err) == (1, True)


def test_a_target_that_is_none_is_told(cli: Cli) -> None:
    run = cli("serve", "--to", "ftp://target.example")
    assert run.code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--port", "-1"), ("--port", "65536"), ("--port", "x"), ("--max-requests", "0")),
        *(("--max-body", "0"), ("--max-body", "nan"), ("--max-body", "1e9")),
        ("--request-timeout", "0"),
    ],
)
def test_numbers_have_their_bounds(cli: Cli, option: str, value: str) -> None:
    run = cli("serve", option, value)
    assert (run.code, option in run.err) == (2, True)


def test_without_the_extra_it_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:  # noqa: ANN401 - as Python's own
        if name.partition(".")[0] == "uvicorn":
            raise ModuleNotFoundError(name="uvicorn")
        return known(name, *arguments)

    for name in [one for one in sys.modules if one.startswith("deidfhir.gateway.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    run = cli("serve")
    assert run.code == 1
    assert run.err == "deidfhir: serve needs a library: pip install 'deidfhir[gateway]'\n"
