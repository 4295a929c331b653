"""TLS in front of a real server: whom to trust, who is trusted, and what is said otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.certificates import Authority
from tests.integration.relay import Relay
from tests.integration.support import Archive, Site, counted

if TYPE_CHECKING:
    from tests.conftest import Ran

    Secured = Callable[[ssl.SSLContext], tuple[Ran, Relay]]

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Give the authority that the site trusts, or should."""
    return Authority(tmp_path / "site")


@pytest.fixture
def access(authority: Authority) -> Path:
    """Give an access file that names the authority."""
    path = authority.file.with_name("access.toml")
    path.write_text('[tls]\nca = "ca.pem"\n')
    return path


@pytest.fixture
def secured(r4_site: Site, archive: Archive, access: Path) -> Secured:
    """Sync one study, with the access file, through a relay that speaks TLS."""

    def sync(context: ssl.SSLContext) -> tuple[Ran, Relay]:
        with Relay(r4_site.url).secured(context) as relay:
            site = r4_site.to(relay.url)
            run = site.sync(archive.put(1), "--access", access, "--timeout", "5")
        return run, relay

    return sync


def test_an_authority_of_the_site_is_trusted_whatever_the_environment_says(
    secured: Secured, authority: Authority, access: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(access.parent / "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.file))
    run, relay = secured(authority.server())
    assert relay.url.startswith("https://")
    assert (run.code, run.report["resources"]) == (0, counted(created=2))


def test_an_authority_that_is_not_trusted_is_told(
    secured: Secured, authority: Authority, access: Path
) -> None:
    access.write_text("")
    run, relay = secured(authority.server())
    assert (run.code, relay.log, run.report["traffic"]["repeated"]) == (1, [], 0)
    assert "nobody that is trusted has signed" in run.report["error"]


@pytest.mark.parametrize(
    ("host", "days", "words"),
    [
        ("127.0.0.1", (-9, -1), "has expired"),
        ("127.0.0.1", (1, 9), "is not valid yet: check the clock"),
        ("other.example", (-1, 9), "is for another host"),
    ],
)
def test_what_is_wrong_with_a_servers_certificate_is_told(
    secured: Secured, authority: Authority, host: str, days: tuple[int, int], words: str
) -> None:
    run, relay = secured(authority.server(host, days=days))
    assert (run.code, relay.log) == (1, [])
    assert words in run.report["error"]


@pytest.mark.parametrize("password", ["", "CANARY"])
def test_a_client_certificate_lets_in(
    secured: Secured,
    authority: Authority,
    access: Path,
    password: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.client(password)
    monkeypatch.setenv("KEY_PASSWORD", password)
    more = 'key_password = { env = "KEY_PASSWORD" }\n' if password else ""
    key = "locked.pem" if password else "key.pem"
    text = f'[tls]\nca = "ca.pem"\ncertificate = "client.pem"\nkey = "{key}"\n{more}'
    access.write_text(text)
    run, _ = secured(authority.server(clients=authority))
    assert (run.code, run.report["resources"]) == (0, counted(created=2))
    assert "CANARY" not in run.out + run.err


@pytest.mark.parametrize("newest", [TLS12, TLS13])
@pytest.mark.parametrize("shown", ["none", "foreign", "expired"])
def test_a_client_certificate_that_is_missing_or_refused_is_told(
    secured: Secured, authority: Authority, access: Path, newest: ssl.TLSVersion, shown: str
) -> None:
    if shown != "none":
        issuer = authority if shown == "expired" else Authority(access.parent / "other")
        client = issuer.client(days=(-9, -1) if shown == "expired" else (-1, 9))
        access.write_text(
            f'[tls]\nca = "ca.pem"\ncertificate = "{client.certificate}"\nkey = "{client.key}"\n'
        )
    run, relay = secured(authority.server(clients=authority, newest=newest))
    assert (run.code, relay.log) == (1, [])
    assert "asks for a client certificate, or refuses the one shown" in run.report["error"]


def test_a_port_that_speaks_no_tls_is_told(r4_site: Site, archive: Archive) -> None:
    run = r4_site.to(r4_site.url.replace("http:", "https:")).sync(archive.put(1))
    assert run.code == 1
    assert "this port speaks no TLS" in run.report["error"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('ca = "none.pem"', "trusted authorities cannot be used: "),
        ('ca = "key.pem"', "trusted authorities cannot be used: "),
        ('certificate = "none.pem"', "client certificate cannot be used: "),
        ('certificate = "client.pem"', "client certificate cannot be used: "),
        ('certificate = "client.pem"\nkey = "ca.pem"', "client certificate cannot be used: "),
        ('certificate = "client.pem"\nkey = "locked.pem"', "client certificate cannot be used: "),
        (
            'certificate = "client.pem"\nkey = "locked.pem"\nkey_password = { env = "HOME" }',
            "client certificate cannot be used: ",
        ),
    ],
)
def test_a_file_that_is_of_no_use_is_told_before_anything_is_asked(
    secured: Secured, authority: Authority, access: Path, line: str, words: str
) -> None:
    authority.client("password")
    access.write_text(f"[tls]\n{line}\n")
    run, relay = secured(authority.server())
    assert (run.code, relay.log) == (1, [])
    assert words in run.report["error"]
    assert str(access.parent) in run.report["error"]
