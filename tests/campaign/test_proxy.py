"""The proxy does to the client and to the server what each class of faults says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import requests

from tests.campaign.faults import CLASSES
from tests.campaign.memory import MemoryServer
from tests.campaign.proxy import Exchange, FaultProxy, Injection

DEVICE = {"resourceType": "Device", "id": "d", "status": "active"}
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def put(proxy: FaultProxy, timeout: float = 10) -> requests.Response:
    """Write a Device through the proxy."""
    return requests.put(f"{proxy.url}/Device/d", json=DEVICE, timeout=timeout)


def injected(name: str, seed: int = 0) -> Injection:
    """Return what a class does to a request."""
    inject = CLASSES[name].inject
    assert inject is not None
    return inject(Random(seed))


def spoil(proxy: FaultProxy, name: str, seed: int = 0) -> None:
    """Let every request meet the same fault."""
    injection = injected(name, seed)
    proxy.script = lambda _: injection


def written(memory: MemoryServer) -> int:
    """Return how often the server was asked to write."""
    return len(memory.writes)


def test_what_is_not_spoilt_comes_through_as_it_is(proxy: FaultProxy, memory: MemoryServer) -> None:
    assert put(proxy).status_code == 201
    direct, through = (
        requests.get(f"{url}/Device/d", timeout=10) for url in (memory.url, proxy.url)
    )
    assert direct.content == through.content
    assert direct.headers["Content-Type"] == through.headers["Content-Type"]
    assert (proxy.counts.requests, proxy.counts.writes, proxy.counts.faults) == (2, 1, 0)


@pytest.mark.parametrize(
    ("name", "reaches"), [("cut-before", 0), ("cut-after", 1), ("cut-middle", 1), ("truncated", 1)]
)
def test_a_broken_connection_is_one_for_the_client_whatever_the_server_did(
    proxy: FaultProxy, memory: MemoryServer, name: str, reaches: int
) -> None:
    spoil(proxy, name)
    with pytest.raises(BROKEN):
        put(proxy)
    assert written(memory) == reaches
    assert proxy.counts.faults == 1


def test_a_cut_is_a_reset_and_no_orderly_end(proxy: FaultProxy) -> None:
    spoil(proxy, "cut-before")
    with pytest.raises(requests.ConnectionError, match=r"ConnectionResetError|Connection aborted"):
        put(proxy)


def variants(name: str) -> Iterator[Injection]:
    """Yield what a class does, seed by seed."""
    return (injected(name, seed) for seed in range(60))


def test_a_garbled_answer_is_never_the_one_that_the_server_gave(
    proxy: FaultProxy, memory: MemoryServer
) -> None:
    good = put(proxy).content
    bodies = set()
    for injection in variants("garbled"):
        proxy.script = lambda _, chosen=injection: chosen
        answer = put(proxy)
        assert answer.status_code == 200
        bodies.add(answer.content)
    assert good not in bodies
    assert len(bodies) == 9
    assert 1 < written(memory) < 61


@pytest.mark.parametrize("name", [name for name in CLASSES if name.startswith("status-")])
def test_a_status_comes_before_and_after_the_write_with_and_without_retry_after(
    proxy: FaultProxy, memory: MemoryServer, name: str
) -> None:
    told, kinds = set(), set()
    for injection in variants(name):
        proxy.script = lambda _, chosen=injection: chosen
        answer = put(proxy)
        assert answer.status_code == int(name.removeprefix("status-"))
        wait = answer.headers.get("Retry-After", "")
        told.add("none" if not wait else "seconds" if wait.isdigit() else "date")
        kinds.add(answer.content[:1])
    assert told == {"none", "seconds", "date"}
    assert kinds == {b"{", b"<", b""}
    if name in ("status-413", "status-429"):
        assert written(memory) == 0
    else:
        assert 0 < written(memory) < 60


def test_a_slow_answer_is_whole(proxy: FaultProxy) -> None:
    spoil(proxy, "slow")
    assert put(proxy).json()["id"] == "d"


def test_a_stalled_answer_never_comes_until_the_run_is_over(
    proxy: FaultProxy, memory: MemoryServer
) -> None:
    reached = set()
    for injection in list(variants("stalled"))[:12]:
        before = written(memory)
        proxy.script = lambda _, chosen=injection: chosen
        with pytest.raises((requests.Timeout, *BROKEN)):
            put(proxy, timeout=0.1)
        reached.add(written(memory) - before)
    assert reached == {0, 1}
    stalled = threading.active_count()
    proxy.let_go()
    proxy.script = None
    assert put(proxy).status_code == 200
    assert threading.active_count() <= stalled


def test_a_duplicated_request_reaches_the_server_twice_and_is_answered_once(
    proxy: FaultProxy, memory: MemoryServer
) -> None:
    for number, injection in enumerate(variants("duplicated"), start=1):
        proxy.script = lambda _, chosen=injection: chosen
        assert put(proxy).status_code in (200, 201)
        assert written(memory) == 2 * number


def test_the_same_seed_does_the_same() -> None:
    def told(seed: int) -> list[Any]:
        done: list[Any] = []

        class Noted(Exchange):
            def __init__(self) -> None:
                """Stand for an exchange."""

            def made(self, status: int, body: bytes = b"", **headers: str) -> None:
                """Note what would be answered."""
                done.append((status, body, "Retry_After" in headers))

            def forward(self) -> Any:  # noqa: ANN401 - the answer is not looked at
                """Note that the server would have it."""
                done.append("forward")

        for name in ("garbled", "status-503", "status-409"):
            injected(name, seed)(Noted())
        return done

    assert told(1) == told(1)
    assert len({repr(told(seed)) for seed in range(20)}) > 10
