"""The fault classes of the campaign, and what each does to a request at the proxy."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.campaign.proxy import MIME, Exchange, Injection, Reply
from tests.integration.fake import http_date, outcome

_STATUSES = (408, 409, 412, 413, 429, 500, 502, 503, 504)
_OF_WRITES = frozenset({409, 412, 413})
"""What a server answers to a write alone."""

_NEVER_AFTER = frozenset({413, 429})
"""What nobody answers who has done what was asked."""

_CODES = {
    409: ("conflict", "HAPI-0550: HAPI-0825: The operation has failed with a version conflict"),
    412: ("conflict", "HAPI-0550: HAPI-0989: Trying to update a version that is not current"),
    413: ("too-long", "too large"),
    429: ("throttled", "too many"),
    500: ("exception", "HAPI-0389: failed to call access method"),
    503: ("transient", "starting"),
}
_PAGE = b"<html><body><h1>gateway</h1></body></html>"
_RETRY_AFTER = (1, 2, 30)


@dataclass(frozen=True)
class FaultClass:
    """One kind of fault.

    Attributes:
        name: As it stands in commands and in the table of results.
        does: What happens, in words.
        share: How many of 1,000 episodes.
        inject: What it does to a request; None where the episode itself is the fault.
        exits: The exit codes that a run under it may end with.
        sets_aside: Whether a study may be set aside under it.
        marks: Whether it may pass for a server that refuses deletion (D18).
    """

    name: str
    does: str
    share: int
    inject: Callable[[Random], Injection] | None = None
    exits: frozenset[int] = frozenset({0, 5})
    sets_aside: bool = False
    marks: bool = False

    @property
    def may_stall(self) -> bool:
        """Whether an answer may never come, so that a run should not wait long for one."""
        return self.inject in (_stalled, _any)


def fits(fault: FaultClass, exchange: Exchange) -> bool:
    """Whether a fault of this class can happen to a request."""
    status = fault.name.removeprefix("status-")
    return exchange.is_write or not (status.isdigit() and int(status) in _OF_WRITES)


def _cut_before(_: Random) -> Injection:
    return Exchange.reset


def _cut_after(_: Random) -> Injection:
    def cut(exchange: Exchange) -> None:
        exchange.forward()
        exchange.reset()

    return cut


def _cut_middle(rng: Random) -> Injection:
    part = rng.random()

    def cut(exchange: Exchange) -> None:
        reply = exchange.forward()
        exchange.answer(reply, keep=int(len(reply.body) * part))
        exchange.reset()

    return cut


def _truncated(rng: Random) -> Injection:
    more = rng.choice((1, 17, 4096))
    return lambda exchange: exchange.answer(exchange.forward(), more=more)


def _garbled(rng: Random) -> Injection:
    body = rng.choice(
        (
            _PAGE,
            b"",
            b"[]",
            b"null",
            b"\xff\xfe\x00",
            b'{"resourceType": "Bundle", "entry": [{"resp',
            b'{"resourceType": "Patient"}',
            b'{"resourceType": "Bundle", "entry": [null]}',
            b'{"resourceType": "Bundle", "entry": [{"response": {}}]}',
        )
    )
    kind = rng.choice((MIME, "text/html"))
    forwards = rng.random() < 0.7

    def garble(exchange: Exchange) -> None:
        if forwards:
            exchange.forward()
        exchange.made(200, body, Content_Type=kind)

    return garble


def _status(status: int) -> Callable[[Random], Injection]:
    def inject(rng: Random) -> Injection:
        forwards = status not in _NEVER_AFTER and rng.random() < 0.5
        body = rng.choice((_outcome(status), _PAGE, b""))
        told = rng.choice((None, "seconds", "date"))
        wait = rng.choice(_RETRY_AFTER)

        def answer(exchange: Exchange) -> None:
            if forwards:
                exchange.forward()
            headers = {"Content_Type": "text/html" if body == _PAGE else MIME}
            if told:
                headers["Retry_After"] = str(wait) if told == "seconds" else http_date(wait)
            exchange.made(status, body, **headers)

        return answer

    return inject


def _outcome(status: int) -> bytes:
    code, text = _CODES.get(status, ("transient", ""))
    return json.dumps(outcome(text, code)).encode()


def _slow(rng: Random) -> Injection:
    pieces, pause = rng.randint(1, 6), rng.uniform(0.01, 0.05)
    return lambda exchange: exchange.dripped(exchange.forward(), pieces, pause)


def _stalled(rng: Random) -> Injection:
    how = rng.choice(("before", "after", "middle"))

    def stall(exchange: Exchange) -> None:
        if how != "before":
            reply = exchange.forward()
        if how == "middle":
            exchange.answer(reply, keep=len(reply.body) // 2)
        exchange.stalled()

    return stall


def _duplicated(rng: Random) -> Injection:
    at_once, first, pause = rng.random() < 0.5, rng.random() < 0.5, rng.uniform(0, 0.02)

    def twice(exchange: Exchange) -> None:
        replies: list[Reply] = []

        def deliver() -> None:
            replies.append(exchange.forward())

        other = threading.Thread(target=deliver)
        other.start()
        if at_once:
            time.sleep(pause)
        else:
            other.join()
        deliver()
        other.join()
        exchange.answer(replies[0 if first else -1])

    return twice


def _any(rng: Random) -> Injection:
    found = rng.choice([one for one in CLASSES.values() if one.inject and one.inject is not _any])
    assert found.inject is not None
    chosen = found.inject(rng)

    def apply(exchange: Exchange) -> None:
        (chosen if fits(found, exchange) else Exchange.passed)(exchange)

    return apply


def _amid_any(name: str, does: str) -> FaultClass:
    """Return a class in which any fault may happen besides."""
    every = frozenset({0, 1, 3, 5})
    return FaultClass(name, does, 20, _any, every, sets_aside=True, marks=True)


_FAILED = frozenset({0, 1, 5})
_WIRE = (
    FaultClass("cut-before", "the connection breaks before the server hears", 50, _cut_before),
    FaultClass("cut-after", "the server has done it; the connection breaks", 60, _cut_after),
    FaultClass("cut-middle", "the connection breaks within the answer", 40, _cut_middle),
    FaultClass("truncated", "the answer is shorter than it says", 35, _truncated),
    FaultClass("garbled", "no JSON, or JSON of another shape", 50, _garbled, _FAILED),
    FaultClass("slow", "the answer drips", 30, _slow),
    FaultClass("stalled", "no answer, or half of one, and no end", 40, _stalled),
    FaultClass("duplicated", "the server gets the request twice", 50, _duplicated),
)
_REFUSALS = tuple(
    FaultClass(
        f"status-{status}",
        f"HTTP {status}, before" + ("" if status in _NEVER_AFTER else " or after the write"),
        35,
        _status(status),
        frozenset({0, 3, 5}) if status in _OF_WRITES else frozenset({0, 5}),
        sets_aside=status in (412, 413),
        marks=status == 409,
    )
    for status in _STATUSES
)
_EPISODES = (
    FaultClass(
        "mixed",
        "any of these, at any request",
        80,
        _any,
        frozenset({0, 1, 3, 5}),
        sets_aside=True,
        marks=True,
    ),
    FaultClass("client-killed", "kill -9 of the client at any request", 70),
    FaultClass("client-stopped", "SIGTERM to the client at any request", 30),
    FaultClass("server-killed", "kill -9 of the server within a transaction", 15),
    FaultClass("server-restarted", "the server is stopped between runs and started again", 5),
    FaultClass("two-jobs", "a second job while one runs", 25),
    FaultClass("disk-full", "no room under the journal", 35, None, _FAILED),
    FaultClass("clock-jump", "the clock jumps, ahead or back", 25),
    FaultClass("journal-lost", "the journal is gone between runs", 25),
    FaultClass("token-expired", "HTTP 401 from some request on", 25, None, frozenset({0, 1})),
)
_MEETINGS = (
    _amid_any("others-linked", "others' ImagingStudies are there and change; `--existing link`"),
    _amid_any("others-enriched", "others' ImagingStudies are there and change; `enrich`"),
    _amid_any("two-folders", "each study lies in two folders, each with a job of its own"),
    FaultClass("late", "a write or its copy arrives after the next, while it is the last word", 20),
)
"""What else writes: others, another job, or the client itself, late."""

CLASSES = {one.name: one for one in (*_WIRE, *_REFUSALS, *_EPISODES, *_MEETINGS)}
"""All fault classes, by name."""
