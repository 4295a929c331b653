"""The fault proxy: passes requests on to one server, and spoils what a script tells it to."""

from __future__ import annotations

import http.client
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.integration.listener import Listener, Sent

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
MIME = "application/fhir+json"


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass
class Exchange:
    """One request on its way, and what can be done with it.

    Attributes:
        sent: The request.
        over: Set when nobody waits for a stalled answer any more.
    """

    sent: Sent
    over: threading.Event
    _request: BaseHTTPRequestHandler
    _forward: Callable[[], Reply]

    @property
    def is_write(self) -> bool:
        """Whether it may change the server."""
        return self.sent.method != "GET"

    @property
    def urls(self) -> frozenset[str]:
        """What a transaction writes, and what is targeted there."""
        entries = self.sent.body.get("entry", ())
        targets = (one for entry in entries for one in entry.get("resource", {}).get("target", ()))
        return frozenset(
            [entry["request"]["url"] for entry in entries if "request" in entry]
            + [one["reference"] for one in targets if "reference" in one]
        )

    @property
    def bearer(self) -> str:
        """The token that it carries, or an empty text."""
        kind, _, token = self._request.headers.get("Authorization", "").partition(" ")
        return token if kind == "Bearer" else ""

    def forward(self) -> Reply:
        """Let the server have it."""
        return self._forward()

    def passed(self) -> None:
        """Let the server have it, and the client the answer."""
        self.answer(self.forward())

    def answer(self, reply: Reply, *, keep: int | None = None, more: int = 0) -> None:
        """Give the client an answer, whole or spoilt.

        Args:
            reply: The answer.
            keep: How many bytes of the body to send; all by default.
            more: By how much the declared length is too large.
        """
        self._head(reply.status, reply.headers, len(reply.body) + more)
        self._request.wfile.write(reply.body[:keep])
        if more or keep is not None:
            self._request.close_connection = True

    def dripped(self, reply: Reply, pieces: int, pause: float) -> None:
        """Give the client an answer slowly."""
        self.over.wait(pause)
        self._head(reply.status, reply.headers, len(reply.body))
        size = max(1, -(-len(reply.body) // pieces))
        for start in range(0, len(reply.body), size):
            self.over.wait(pause)
            self._request.wfile.write(reply.body[start : start + size])

    def made(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Give the client an answer that the server never gave."""
        told = tuple((name.replace("_", "-"), text) for name, text in headers.items())
        self.answer(Reply(status, told, body))

    def reset(self) -> None:
        """Break the connection as a crashed peer does: the client is told by a RST."""
        self._request.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self._request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self._request.connection.detach())

    def stalled(self) -> None:
        """Say nothing more until nobody waits any more, and hang up then."""
        self._request.close_connection = True
        self.over.wait(60)

    def _head(self, status: int, headers: tuple[tuple[str, str], ...], length: int) -> None:
        self._request.send_response(status)
        for name, text in headers:
            self._request.send_header(name, text)
        self._request.send_header("Content-Length", str(length))
        self._request.end_headers()


Injection = Callable[[Exchange], None]
Script = Callable[[Exchange], Injection | None]
"""Says what is done to a request; None lets it pass."""


@dataclass
class Counts:
    """What came through."""

    requests: int = 0
    writes: int = 0
    faults: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class FaultProxy(Listener):
    """Passes requests on to one server by a script.

    Attributes:
        script: What to do; None passes everything.
        counts: What came through so far.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self.script: Script | None = None
        self.counts = Counts()
        self._over = threading.Event()
        self._address = urlsplit(target).netloc
        self._path = urlsplit(target).path

    @property
    def url(self) -> str:
        """The base URL to use in place of the server's."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    def let_go(self) -> None:
        """End every answer that stalls: the run that waited for it is over."""
        self._over.set()
        self._over = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Pass a request on, or do to it what the script says."""
        headers = {name: text for name, text in request.headers.items() if name.lower() not in _HOP}
        exchange = Exchange(
            sent, self._over, request, lambda: self._forwarded(sent, content, headers)
        )
        with self.counts.lock:
            self.counts.requests += 1
            self.counts.writes += exchange.is_write
            injection = self.script(exchange) if self.script else None
            self.counts.faults += injection is not None
        try:
            (injection or Exchange.passed)(exchange)
        except (OSError, http.client.HTTPException):
            # The server is gone, or the client: whoever is left sees the connection end.
            request.close_connection = True

    def _forwarded(self, sent: Sent, content: bytes, headers: Mapping[str, str]) -> Reply:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            connection.request(sent.method, sent.path, content or None, dict(headers))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        kept = tuple(one for one in answer.getheaders() if one[0].lower() not in _HOP)
        return Reply(answer.status, kept, body)
