"""Tokens without a server: kept, given up, asked for once; what a refusal means."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
import requests

from deidfhir.errors import FatalError, RetriableError
from deidfhir.web.access.access import Access
from deidfhir.web.access.broken import proxy_failure, tls_failure
from deidfhir.web.access.connection import Connection
from deidfhir.web.access.credentials import Anonymous, Basic, Bearer, Credentials
from deidfhir.web.access.discovery import discovered
from deidfhir.web.access.oauth import Endpoint, with_secret
from deidfhir.web.access.refusal import clock_off, refusal
from deidfhir.web.access.secret import Secret
from deidfhir.web.access.tokens import Token, TokenKeeper
from deidfhir.web.timing import Clock
from deidfhir.web.transport import Transport
from tests.integration.fake import FakeServer, Reply

URL = "https://fhir.example"
SECRET = Secret("env", ("A_SECRET",))


class Issuer:
    """Issues numbered tokens, or raises."""

    def __init__(self, lifetime: float | None = 300.0) -> None:
        self.lifetime, self.count = lifetime, 0
        self.fault: Exception | None = None

    def __call__(self) -> Token:
        """Issue one."""
        self.count += 1
        if self.fault is not None:
            raise self.fault
        return Token(f"t{self.count}", self.lifetime)


@pytest.mark.parametrize(
    ("lifetime", "good_until"), [(3600.0, 3540.0), (300.0, 240.0), (10.0, 8.0), (None, 1e9)]
)
def test_a_token_is_given_up_before_it_ends(lifetime: float | None, good_until: float) -> None:
    issuer, moment = Issuer(lifetime), [0.0]
    keeper = TokenKeeper(issuer, Clock(monotonic=lambda: moment[0]))
    assert keeper.authorisation() == "Bearer t1"
    moment[0] = good_until - 0.1
    assert keeper.authorisation() == "Bearer t1"
    moment[0] = good_until + 0.1
    assert keeper.authorisation() == ("Bearer t1" if lifetime is None else "Bearer t2")


def test_a_token_that_another_thread_renewed_already_is_not_renewed_again() -> None:
    issuer = Issuer()
    keeper = TokenKeeper(issuer, Clock())
    refused = keeper.authorisation()
    assert keeper.renew(refused)
    assert keeper.renew(refused)
    assert (issuer.count, keeper.authorisation()) == (2, "Bearer t2")


def test_the_same_token_again_is_no_other_one() -> None:
    keeper = TokenKeeper(lambda: Token("same", None), Clock())
    assert not keeper.renew(keeper.authorisation())


def test_a_client_that_is_refused_asks_once_and_one_that_is_put_off_asks_again() -> None:
    issuer = Issuer()
    keeper = TokenKeeper(issuer, Clock())
    issuer.fault = RetriableError("token-down", url=URL, what="HTTP 503")
    for _ in range(2):
        with pytest.raises(RetriableError):
            keeper.authorisation()
    issuer.fault = FatalError("client-refused", url=URL, error="invalid_client")
    for _ in range(3):
        with pytest.raises(FatalError):
            keeper.authorisation()
    assert issuer.count == 3


def test_a_token_that_is_still_good_carries_over_a_moment_in_which_none_is_issued() -> None:
    issuer, moment = Issuer(300.0), [0.0]
    keeper = TokenKeeper(issuer, Clock(monotonic=lambda: moment[0]))
    keeper.authorisation()
    issuer.fault = RetriableError("token-down", url=URL, what="HTTP 503")
    asked = []
    for moment[0] in (241.0, 243.0, 247.0, 290.0):
        assert keeper.authorisation() == "Bearer t1"
        asked.append(issuer.count)
    assert asked == [2, 2, 3, 4]
    moment[0] = 296.0
    with pytest.raises(RetriableError):
        keeper.authorisation()
    issuer.fault = None
    assert keeper.authorisation() == "Bearer t6"


def test_what_is_missing_of_the_installation_is_told_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "authlib.integrations", None)
    monkeypatch.setenv("A_SECRET", "PLANTED")
    endpoint = Endpoint(URL, Connection(), Clock(), 1.0)
    client = with_secret(endpoint, "me", SECRET, "client_secret_basic", "")
    for ask in (client.prepare, client.authorisation):
        with pytest.raises(FatalError, match=r"pip install 'deidfhir\[auth\]'"):
            ask()


@pytest.mark.parametrize(
    ("credentials", "theirs", "code"),
    [
        (Anonymous(), 1100, "credentials-demanded"),
        (Basic("user", SECRET), 1100, "password-refused"),
        (Bearer(SECRET), 1000, "bearer-refused"),
        (Bearer(SECRET), 1059, "bearer-refused"),
        (Bearer(SECRET), 1061, "clock-refused"),
        (Bearer(SECRET), 939, "clock-refused"),
    ],
)
def test_a_401_means_what_the_credentials_and_the_clock_make_of_it(
    credentials: Credentials,
    theirs: int,
    code: str,
) -> None:
    headers = {"Date": formatdate(theirs, usegmt=True)}
    clock = Clock(now=lambda: 1000.0)
    assert refusal(401, headers, URL, credentials, clock).code == code
    assert refusal(403, headers, URL, credentials, clock).code == "unauthorised"


@pytest.mark.parametrize("date", ["", "soon", "Mon, 99 Jan 2026 00:00:00 GMT", "\x00"])
def test_a_date_that_is_none_tells_nothing_of_the_clock(date: str) -> None:
    assert clock_off({"Date": date}, Clock()) is None


def test_a_connection_that_breaks_without_a_reason_is_told_as_such() -> None:
    inner = ssl.SSLEOFError(8, "PLANTED")
    error = requests.exceptions.SSLError(inner)
    found = tls_failure(error, URL)
    assert found.code == "tls-failed"
    assert "PLANTED" not in str(found)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Tunnel connection failed: 407 Proxy Authentication Required", "proxy-refused"),
        ("Tunnel connection failed: 403 Forbidden", "proxy-refused"),
        ("Tunnel connection failed: 503 Service Unavailable", "proxy-down"),
        ("refused", "proxy-down"),
    ],
)
def test_a_proxy_says_no_or_later(words: str, code: str) -> None:
    error = requests.exceptions.ProxyError(OSError(words))
    assert proxy_failure(error, "http://proxy.example").code == code


LARGE = b" " * (2 * 1024 * 1024)


def test_an_answer_about_tokens_that_is_too_large_is_none() -> None:
    with FakeServer() as server:
        server.always(Reply(body=LARGE + json.dumps({"access_token": "t"}).encode()))
        endpoint = Endpoint(server.url, Connection(), Clock(), 5.0)
        with pytest.raises(FatalError) as raised:
            endpoint.ask({"client_id": "a", "client_secret": "b"})
        assert raised.value.code == "token-answer"
        told = json.dumps({"token_endpoint": "https://login.example/token"}).encode()
        server.always(Reply(body=LARGE + told))
        with pytest.raises(FatalError) as raised:
            discovered(server.url, Connection(), 5.0, {})
        assert raised.value.code == "discovery-missing"
        server.always(Reply(body=told))
        assert discovered(server.url, Connection(), 5.0, {}) == "https://login.example/token"
        server.always(Reply(body={"access_token": "t", "expires_in": 60}))
        assert endpoint.ask({"client_id": "a", "client_secret": "b"}) == Token("t", 60.0)


@dataclass
class Watched:
    """Credentials that tell by which thread they are asked for."""

    asks: bool
    kind: str = "none"
    threads: list[threading.Thread] = field(default_factory=list)

    def prepare(self) -> None:
        """There is nothing to look at."""

    def authorisation(self) -> str | None:
        """Note who asks."""
        self.threads.append(threading.current_thread())
        return None

    def renew(self, refused: str | None) -> bool:
        """There is nothing else."""
        del refused
        return False


@pytest.mark.parametrize("asks", [True, False])
def test_credentials_that_ask_nobody_need_no_thread(*, asks: bool) -> None:
    watched = Watched(asks)
    with FakeServer() as server:
        Transport(server.url, access=Access(watched)).send("GET", "/metadata")  # type: ignore[arg-type]
    assert (watched.threads == [threading.current_thread()]) is not asks


def test_it_is_known_which_credentials_ask() -> None:
    command = Secret("command", ("print-token",))
    endpoint = Endpoint(URL, Connection(), Clock(), 5.0)
    asking: list[Credentials] = [
        Bearer(command),
        with_secret(endpoint, "a", SECRET, "client_secret_post", ""),
    ]
    silent: list[Credentials] = [Anonymous(), Basic("a", SECRET), Bearer(SECRET)]
    assert [one.asks for one in asking + silent] == [True, True, False, False, False]
