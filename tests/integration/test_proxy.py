"""A proxy between the site and a real server, told by the environment or by the access file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.certificates import Authority
from tests.integration.proxy import Proxy
from tests.integration.relay import Relay
from tests.integration.support import Archive, Site, counted


@pytest.fixture
def access(tmp_path: Path) -> Path:
    """Give the path of an access file."""
    return tmp_path / "access.toml"


def test_the_proxy_of_the_environment_is_used(
    r4_site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        run = r4_site.sync(archive.put(1))
    assert run.code == 0
    assert proxy.asked[0].startswith(f"GET {r4_site.url}/metadata")


def test_the_proxy_of_the_access_file_stands_above_the_environment(
    r4_site: Site,
    archive: Archive,
    access: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_port: int,
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    with Proxy() as proxy:
        access.write_text(f'[proxy]\nurl = "{proxy.url}"\n')
        run = r4_site.sync(archive.put(1), "--access", access)
    assert (run.code, run.report["resources"]) == (0, counted(created=2))
    assert len(proxy.asked) == run.report["requests"]


def test_no_proxy_is_used_where_the_access_file_says_direct(
    r4_site: Site, archive: Archive, access: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    access.write_text('[proxy]\nurl = "direct"\n')
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        run = r4_site.sync(archive.put(1), "--access", access)
    assert (run.code, proxy.asked) == (0, [])


@pytest.mark.parametrize("place", ["file", "env"])
def test_tls_goes_through_a_tunnel_of_a_proxy_that_asks_for_a_password(
    r4_site: Site,
    archive: Archive,
    access: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = Authority(access.parent)
    word = "CANARY:@/%20"
    (access.parent / "word").write_text(f"{word}\n", encoding="utf-8")
    monkeypatch.setenv("PROXY_WORD", word)
    source = {"file": "word", "env": "PROXY_WORD"}[place]
    with (
        Proxy(f"site:{word}") as proxy,
        Relay(r4_site.url).secured(authority.server()) as relay,
    ):
        access.write_text(
            f'[tls]\nca = "ca.pem"\n[proxy]\nurl = "{proxy.url}"\nuser = "site"\n'
            f'password = {{ {place} = "{source}" }}\n'
        )
        run = r4_site.to(relay.url).sync(archive.put(1), "--access", access)
        assert (run.code, run.report["resources"]) == (0, counted(created=2))
        assert set(proxy.asked) == {f"CONNECT {urlsplit(relay.url).netloc}"}
        (access.parent / "word").write_text("CANARY wrong")
        monkeypatch.setenv("PROXY_WORD", "CANARY wrong")
        refused = r4_site.to(relay.url).verify(archive.folder, "--access", access)
    assert refused.code == 1
    assert f"{proxy.url} refuses to let the request through" in refused.report["error"]
    assert "CANARY" not in run.out + run.err + refused.out + refused.err


def test_a_plain_request_that_the_proxy_refuses_is_told(
    r4_site: Site, archive: Archive, access: Path
) -> None:
    with Proxy("site:word") as proxy:
        access.write_text(f'[proxy]\nurl = "{proxy.url}"\n')
        run = r4_site.sync(archive.put(1), "--access", access)
    assert run.code == 1
    assert "refuses to let the request through" in run.report["error"]


@pytest.mark.parametrize("secured", [False, True])
def test_a_proxy_that_is_down_is_for_later(
    r4_site: Site, archive: Archive, access: Path, free_port: int, *, secured: bool
) -> None:
    url = r4_site.url.replace("http:", "https:") if secured else r4_site.url
    access.write_text(f'[proxy]\nurl = "http://127.0.0.1:{free_port}"\n')
    run = r4_site.to(url).sync(archive.put(1), "--access", access, "--timeout", "1")
    assert run.code == 5
    assert f"the proxy http://127.0.0.1:{free_port} does not answer" in run.report["error"]


def test_a_server_that_the_proxy_does_not_reach_is_for_later(
    r4_site: Site, archive: Archive, access: Path
) -> None:
    with Proxy() as proxy:
        proxy.refusal = 502
        access.write_text(f'[proxy]\nurl = "{proxy.url}"\n')
        url = r4_site.url.replace("http:", "https:")
        run = r4_site.to(url).sync(archive.put(1), "--access", access, "--timeout", "1")
    assert run.code == 5
    assert "or does not reach the server" in run.report["error"]
