"""A crash inside of this process: from one moment on nothing is durable and nothing is sent."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from deidfhir.sync.store import Store
from tests.campaign.proxy import Exchange, FaultProxy, Injection


@contextmanager
def crashing(proxy: FaultProxy, number: int, *, after: bool) -> Iterator[threading.Event]:
    """Let a run crash at one of its writes.

    What the process would still do is of no effect: the journal takes nothing and no request
    gets through. So a run is worth as much as one that was killed, and far faster.

    Args:
        proxy: Stands before the server.
        number: Of the write.
        after: Whether the server has done that one.
    """
    dead, writes = threading.Event(), 0

    def script(exchange: Exchange) -> Injection | None:
        nonlocal writes
        writes += exchange.is_write
        return die if dead.is_set() or writes == number else None

    def die(exchange: Exchange) -> None:
        if after and not dead.is_set():
            exchange.forward()
        dead.set()
        exchange.reset()

    whole = Store.transaction

    @contextmanager
    def transaction(self: Store) -> Iterator[None]:
        with whole(self):
            yield
            if dead.is_set():
                raise sqlite3.OperationalError("disk I/O error")

    proxy.script = script
    with patch.object(Store, "transaction", transaction):
        yield dead
    proxy.script = None
