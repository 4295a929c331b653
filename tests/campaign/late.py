"""Writes that arrive late: a copy of one that was answered, or one that was given up for lost."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from threading import RLock
from typing import Any

from deidfhir.sync.comparing import comparable
from tests.campaign.proxy import MIME, Exchange, Injection

Json = dict[str, Any]
_MOST_DETAINED = 3
"""So many writes of a run are given up for lost at most: it does not repeat one for ever."""


@dataclass
class Late:
    """Holds writes back, and lets them arrive after later ones were answered.

    One arrives only while what it writes is the last word: after a newer statement it would bring
    an old one back, which no client can know of that has its answer. As long as it is the last
    word, all must be as if it had arrived once: no version, no statement and no instant more.

    Args:
        rng: Makes every choice.
    """

    rng: Random
    faults: int = field(default=0, init=False)
    """How many arrived late, or were refused so that there are more of them."""

    _held: list[tuple[Exchange, dict[str, str]]] = field(default_factory=list, init=False)
    _detained: int = field(default=0, init=False)
    _splits: bool = field(init=False)
    _lock: RLock = field(default_factory=RLock, init=False)

    def __post_init__(self) -> None:
        """Choose whether a transaction of several studies is refused: so there are several."""
        self._splits = self.rng.random() < 0.6

    def script(self, exchange: Exchange) -> Injection | None:
        """Say what happens to a request."""
        if not exchange.is_write:
            return None
        if self._splits and _studies(exchange) > 1:
            self.faults += 1
            return _too_large
        luck = self.rng.random()
        if luck < 0.25 and self._detained < _MOST_DETAINED:
            self._detained += 1
            return self._detain
        copies, arrives = luck < 0.75, self.rng.random() < 0.7

        def passed(exchange: Exchange) -> None:
            self._pass(exchange, copies=copies, arrives=arrives)

        return passed

    def arrive(self) -> None:
        """Let all arrive that is still under way."""
        with self._lock:
            while self._held:
                exchange, _ = self._held.pop(0)
                self.faults += 1
                with suppress(OSError, http.client.HTTPException):
                    exchange.forward()

    def _detain(self, exchange: Exchange) -> None:
        with self._lock:
            self._held.append((exchange, _written(exchange)))
        exchange.reset()

    def _pass(self, exchange: Exchange, *, copies: bool, arrives: bool) -> None:
        with self._lock:
            reply = exchange.forward()
            written = _written(exchange)
            self._held = [one for one in self._held if _is_last_word(one[1], written)]
        # Whoever waits for the answer has it before anything older arrives.
        exchange.answer(reply)
        if arrives:
            self.arrive()
        if copies:
            with self._lock:
                self._held.append((exchange, written))


def _studies(exchange: Exchange) -> int:
    return sum(name.startswith("ImagingStudy/") for name in _written(exchange))


def _too_large(exchange: Exchange) -> None:
    exchange.made(413, json.dumps({"resourceType": "OperationOutcome"}).encode(), Content_Type=MIME)


def _written(exchange: Exchange) -> dict[str, str]:
    """Return what a transaction puts, by reference; an empty text for what it deletes."""
    return {
        entry["request"]["url"]: comparable(entry["resource"]) if "resource" in entry else ""
        for entry in exchange.sent.body.get("entry", ())
    }


def _is_last_word(earlier: Mapping[str, str], later: Mapping[str, str]) -> bool:
    return all(later.get(name, text) == text for name, text in earlier.items())
