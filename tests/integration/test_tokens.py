"""OAuth 2.0 and SMART Backend Services: a token endpoint that verifies, before a real server."""

from __future__ import annotations

import json
import logging
import pickle
import re
import time
import traceback
import warnings
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from joserfc.jwk import ECKey, RSAKey

from deidfhir.errors import FatalError
from deidfhir.web.access.loading import Toward, load_access
from deidfhir.web.timing import Clock
from deidfhir.web.transport import Transport
from tests.integration.certificates import Authority
from tests.integration.gate import Gate, TokenEndpoint
from tests.integration.proxy import Proxy
from tests.integration.support import Archive, Site, counted, held

if TYPE_CHECKING:
    from tests.conftest import Ran

CANARY = "CANARY-s3cret+/%"


@dataclass
class Guarded:
    """A real server behind a gate that asks for tokens, and where they are had."""

    site: Site
    gate: Gate
    tokens: TokenEndpoint
    access: Path

    def sync(self, *paths: Path) -> Ran:
        """Run sync with the access file."""
        return self.site.to(self.gate.url).sync(*paths, "--access", self.access)

    def transport(self, clock: Clock | None = None) -> Transport:
        """Return a transport to the gate."""
        toward = Toward(self.gate.url, 10.0, clock or Clock())
        access = load_access(str(self.access), toward)
        return Transport(self.gate.url, 10.0, toward.clock, access)


def guarded(stack: ExitStack, site: Site, folder: Path, tokens: TokenEndpoint) -> Guarded:
    """Return a server behind a gate."""
    stack.enter_context(tokens)
    gate = stack.enter_context(Gate(site.url, tokens.is_good))
    folder.mkdir()
    return Guarded(site, gate, tokens, folder / "access.toml")


@pytest.fixture
def oauth2(r4_site: Site, tmp_path: Path) -> Iterator[Guarded]:
    """Give a server whose clients have a shared secret."""
    with ExitStack() as stack:
        tokens = TokenEndpoint("sync", secret=CANARY)
        made = guarded(stack, r4_site, tmp_path / "site", tokens)
        (made.access.parent / "secret").write_text(f"{CANARY}\n")
        write_oauth2(made)
        yield made


def write_oauth2(made: Guarded, method: str = "client_secret_basic") -> None:
    """Write the access file."""
    made.access.write_text(
        f'[auth]\nkind = "oauth2"\ntoken_url = "{made.tokens.url}"\nclient_id = "sync"\n'
        f'client_secret = {{ file = "secret" }}\nmethod = "{method}"\nscope = ["a.b", "c"]\n'
    )


@pytest.fixture(params=["RS384", "ES384"])
def smart(request: pytest.FixtureRequest, r4_site: Site, tmp_path: Path) -> Iterator[Guarded]:
    """Give a server whose clients sign, by RSA and by EC."""
    algorithm = request.param
    rsa = algorithm == "RS384"
    key = RSAKey.generate_key(2048) if rsa else ECKey.generate_key("P-384")
    with ExitStack() as stack:
        public = type(key).import_key(key.as_pem(private=False))
        tokens = TokenEndpoint("sync", key=public, algorithm=algorithm)
        made = guarded(stack, r4_site, tmp_path / "site", tokens)
        (made.access.parent / "key.pem").write_bytes(key.as_pem(private=True))
        made.gate.token_url = tokens.url
        write_smart(made)
        yield made


def write_smart(made: Guarded, more: str = "") -> None:
    """Write the access file."""
    made.access.write_text(
        f'[auth]\nkind = "smart"\nclient_id = "sync"\nkey = {{ file = "key.pem" }}\n'
        f'algorithm = "{made.tokens.algorithm}"\nkid = "key-1"\n{more}'
    )


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_with_a_secret_is_let_in(oauth2: Guarded, archive: Archive, method: str) -> None:
    write_oauth2(oauth2, method)
    run = oauth2.sync(archive.put(1), archive.put(2))
    assert (run.code, run.report["resources"]) == (0, counted(created=4))
    (form,) = oauth2.tokens.forms
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "a.b c")
    assert ("client_secret" in form) == (method == "client_secret_post")
    assert oauth2.gate.refused == 0


def test_a_client_that_signs_is_let_in_where_discovery_leads(
    smart: Guarded, archive: Archive
) -> None:
    run = smart.sync(archive.put(1))
    assert (run.code, smart.tokens.faults) == (0, [])
    ((header,), (form,)) = (smart.tokens.headers, smart.tokens.forms)
    assert header == {"typ": "JWT", "alg": smart.tokens.algorithm, "kid": "key-1"}
    assert form["scope"].split() == [
        f"system/{kind}.cruds" for kind in ("Device", "ImagingStudy", "Provenance")
    ]
    assert set(smart.gate.shown) == {f"Bearer {one}" for one in smart.tokens.issued}


def test_the_token_endpoint_and_the_scopes_may_be_told(smart: Guarded, archive: Archive) -> None:
    smart.gate.token_url = ""
    write_smart(smart, f'token_url = "{smart.tokens.url}"\nscope = ["system/*.write"]\n')
    assert smart.sync(archive.put(1)).code == 0
    assert smart.tokens.forms[0]["scope"] == "system/*.write"


def test_tokens_are_had_by_the_tls_of_the_site(
    smart: Guarded, archive: Archive, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "tls")
    client = authority.client()
    with (
        Gate(smart.site.url, smart.tokens.is_good).secured(
            authority.server(clients=authority)
        ) as gate,
        Proxy() as proxy,
    ):
        gate.token_url = smart.tokens.url
        write_smart(
            smart,
            f'[tls]\nca = "{authority.file}"\ncertificate = "{client.certificate}"\n'
            f'key = "{client.key}"\n[proxy]\nurl = "{proxy.url}"\n',
        )
        run = smart.site.to(gate.url).sync(archive.put(1), "--access", smart.access)
    assert (run.code, smart.tokens.faults) == (0, [])
    assert f"POST {smart.tokens.url}" in proxy.asked
    assert {one for one in proxy.asked if one.startswith("CONNECT")} == {
        f"CONNECT 127.0.0.1:{gate.port}"
    }


def test_no_secret_stands_in_logs_errors_or_journal(
    oauth2: Guarded, archive: Archive, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    files = [tmp_path / name for name in ("events.jsonl", "run.prom")]
    site = oauth2.site.to(oauth2.gate.url)
    more = ("--access", oauth2.access, "--log", files[0], "--metrics", files[1])
    run = site.sync(archive.put(1), *more)
    walk = site.cli("doctor", "--to", oauth2.gate.url, "--access", oauth2.access, "--json")
    assert (run.code, walk.code) == (0, 0)
    oauth2.gate.lets_in = lambda _: False
    transport = oauth2.transport()
    with pytest.raises(FatalError) as caught:
        transport.send("GET", "/metadata")
    oauth2.tokens.secret = "another"  # noqa: S105
    with pytest.raises(FatalError) as unknown:
        oauth2.transport().send("GET", "/metadata")
    basic = b64encode(f"sync:{CANARY}".encode()).decode()
    secrets = [CANARY, quote(CANARY), quote(CANARY, safe=""), basic, *oauth2.tokens.issued]
    told = [caplog.text, oauth2.site.journal.read_bytes().decode("latin-1"), repr(transport)]
    told += [run.out, run.err, walk.out, walk.err, *(one.read_text() for one in files)]
    for error in (caught.value, unknown.value):
        told += [repr(error), str(error), repr(error.details), repr(pickle.dumps(error))]
        told += traceback.format_exception(error)
    assert len(oauth2.tokens.issued) == 4
    assert [one for one in secrets for text in told if one in text] == []


def test_every_assertion_is_another(smart: Guarded) -> None:
    transport = smart.transport()
    for _ in range(3):
        transport.send("GET", "/metadata")
        smart.tokens.revoke()
    assert (smart.tokens.faults, len(smart.tokens.forms)) == ([], 3)


def test_a_token_that_expires_in_the_middle_of_a_run_costs_one_request_and_no_study(
    oauth2: Guarded, archive: Archive
) -> None:
    def expired(number: int) -> None:
        if number == 3:
            oauth2.tokens.revoke()

    oauth2.gate.before = expired
    files = [archive.put(number) for number in range(1, 31)]
    run = oauth2.sync(*files)
    assert (run.code, run.report["resources"]) == (0, counted(created=60))
    # As many as were under way at that moment; all of them wait for one new token.
    assert 1 <= run.report["traffic"]["statuses"]["401"] <= 4
    assert run.report["traffic"]["repeated"] == 0
    assert len(oauth2.tokens.forms) == 2
    stated = oauth2.site.stated(*files)
    found = held(oauth2.site.url, stated)
    assert set(found) == set(stated)
    assert {one["meta"]["versionId"] for one in found.values()} == {"1"}


def test_a_token_is_renewed_before_it_expires(oauth2: Guarded) -> None:
    oauth2.tokens.lifetime = 100.0
    moment = [1000.0]
    transport = oauth2.transport(Clock(monotonic=lambda: moment[0]))
    for after, requests in ((0.0, 1), (79.0, 1), (81.0, 2), (150.0, 2)):
        moment[0] = 1000.0 + after
        transport.send("GET", "/metadata")
        assert len(oauth2.tokens.forms) == requests
    assert oauth2.gate.refused == 0


def test_a_token_without_lifetime_is_used_until_it_is_refused(oauth2: Guarded) -> None:
    oauth2.tokens.lifetime = None
    transport = oauth2.transport()
    transport.send("GET", "/metadata")
    oauth2.tokens.revoke()
    transport.send("GET", "/metadata")
    assert (len(oauth2.tokens.forms), oauth2.gate.refused) == (2, 1)


@pytest.mark.parametrize("revoked", [False, True])
def test_threads_that_need_a_token_at_once_ask_for_one(oauth2: Guarded, *, revoked: bool) -> None:
    transport = oauth2.transport()
    if revoked:
        transport.send("GET", "/metadata")
        oauth2.tokens.revoke()
    oauth2.tokens.pause = 0.3
    together = Barrier(6)

    def ask(_: int) -> int:
        sent = transport.access.headers() if revoked else {}
        together.wait()
        if revoked:
            assert transport.access.renew(sent) is True
        return len(transport.access.headers()["Authorization"])

    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(ask, range(6)))) == 6
    assert len(oauth2.tokens.forms) == 1 + revoked


def test_a_token_that_is_refused_when_it_is_new_ends_the_run(
    oauth2: Guarded, archive: Archive
) -> None:
    oauth2.gate.lets_in = lambda _: False
    run = oauth2.sync(archive.put(1))
    assert (run.code, oauth2.gate.refused, len(oauth2.tokens.forms)) == (1, 2, 2)
    assert "refuses a token that was issued just now" in run.report["error"]
    assert "PLANTED" not in run.out + run.err


@pytest.mark.parametrize("where", ["gate", "tokens"])
def test_a_clock_that_is_wrong_is_told_where_it_is_why(
    oauth2: Guarded, archive: Archive, where: str
) -> None:
    date = formatdate(time.time() + 200, usegmt=True)
    if where == "gate":
        oauth2.gate.date, oauth2.gate.lets_in = date, lambda _: False
    else:
        oauth2.tokens.date, oauth2.tokens.secret = date, "another"
    run = oauth2.sync(archive.put(1))
    assert run.code == 1
    told = re.search(r"the clock of this host is (\d+) s behind that", run.report["error"])
    assert told is not None
    assert 195 <= int(told[1]) <= 201


def test_a_client_that_is_not_known_is_told_with_the_code_alone(
    oauth2: Guarded, archive: Archive
) -> None:
    oauth2.tokens.secret = "another"  # noqa: S105
    run = oauth2.sync(archive.put(1))
    assert (run.code, oauth2.gate.shown, len(oauth2.tokens.forms)) == (1, [], 1)
    assert run.report["error"].startswith(f"{oauth2.tokens.url} issues no token (invalid_client):")
    assert "PLANTED" not in run.out + run.err


def test_a_token_endpoint_that_is_broken_is_for_later(oauth2: Guarded, archive: Archive) -> None:
    oauth2.tokens.trouble = 503
    run = oauth2.site.to(oauth2.gate.url).sync(
        archive.put(1), "--access", oauth2.access, "--timeout", "1"
    )
    assert (run.code, oauth2.gate.shown) == (5, [])
    assert "cannot be reached for a token (HTTP 503)" in run.report["error"]
    oauth2.tokens.trouble = 0
    assert oauth2.sync(archive.put(1)).code == 0


def test_a_token_endpoint_that_is_none_is_told(oauth2: Guarded, archive: Archive) -> None:
    oauth2.tokens.trouble = 404
    run = oauth2.sync(archive.put(1))
    assert run.code == 1
    assert "answers, but not as a token endpoint (HTTP 404)" in run.report["error"]
    assert "PLANTED" not in run.out + run.err


def test_a_token_endpoint_that_is_down_is_for_later(
    oauth2: Guarded, archive: Archive, free_port: int
) -> None:
    text = oauth2.access.read_text()
    oauth2.access.write_text(text.replace(f":{oauth2.tokens.port}/", f":{free_port}/"))
    run = oauth2.site.to(oauth2.gate.url).sync(
        archive.put(1), "--access", oauth2.access, "--timeout", "1"
    )
    assert run.code == 5
    assert "cannot be reached for a token (ConnectionError)" in run.report["error"]


def test_discovery_that_leads_nowhere_is_told(smart: Guarded, archive: Archive) -> None:
    smart.gate.token_url = ""
    run = smart.sync(archive.put(1))
    assert run.code == 1
    assert "does not say where tokens are had (HTTP 404)" in run.report["error"]
    smart.gate.token_url = "http://elsewhere.example/token"  # noqa: S105
    run = smart.sync(archive.put(1))
    assert "names a token endpoint without TLS" in run.report["error"]


def test_a_key_of_the_wrong_kind_is_told_before_anything_is_asked(
    smart: Guarded, archive: Archive
) -> None:
    key = smart.access.parent / "key.pem"
    rsa = smart.tokens.algorithm == "RS384"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the key is weak on purpose
        weak = RSAKey.generate_key(1024) if rsa else ECKey.generate_key("P-256")
    other = ECKey.generate_key("P-384") if rsa else RSAKey.generate_key(2048)
    private = (weak.as_pem(private=True), other.as_pem(private=True))
    for content in (*private, other.as_pem(private=False), b"no key", b"{}"):
        key.write_bytes(content)
        run = smart.sync(archive.put(1))
        assert (run.code, smart.gate.shown, smart.tokens.forms) == (1, [], [])
        assert f"holds no private key that {smart.tokens.algorithm} can" in run.report["error"]
    key.unlink()
    assert "no such file or directory" in smart.sync(archive.put(1)).report["error"]


def test_a_key_that_the_server_does_not_know_is_refused(smart: Guarded, archive: Archive) -> None:
    rsa = smart.tokens.algorithm == "RS384"
    other = RSAKey.generate_key(2048) if rsa else ECKey.generate_key("P-384")
    (smart.access.parent / "key.pem").write_bytes(other.as_pem(private=True))
    run = smart.sync(archive.put(1))
    assert (run.code, smart.tokens.faults) == (1, ["not signed: BadSignatureError"])
    assert "issues no token (invalid_client)" in run.report["error"]


def test_a_key_may_be_a_jwk_and_carries_its_own_id(smart: Guarded, archive: Archive) -> None:
    rsa = smart.tokens.algorithm == "RS384"
    kind = RSAKey if rsa else ECKey
    key = kind.import_key((smart.access.parent / "key.pem").read_bytes(), {"kid": "of-the-jwk"})
    (smart.access.parent / "key.pem").write_text(json.dumps(key.as_dict(private=True)))
    smart.access.write_text(smart.access.read_text().replace('kid = "key-1"\n', ""))
    assert smart.sync(archive.put(1)).code == 0
    assert smart.tokens.headers[0]["kid"] == "of-the-jwk"
