"""A loopback HTTP server in a thread, quiet and closed at the end: the base of relay and fake."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    method: str
    path: str
    body: dict[str, Any]
    name: str = ""
    """Its X-Request-ID."""

    @property
    def entries(self) -> list[str]:
        """What a transaction asks for, such as `PUT ImagingStudy`."""
        asked = [one["request"] for one in self.body.get("entry", ())]
        return [f"{one['method']} {one['url'].partition('/')[0]}" for one in asked]


class Listener:
    """Listens on a free port of loopback.

    Attributes:
        log: Every request so far.
        closing: Set when the server is about to end; whoever stalls waits for it.
    """

    def __init__(self) -> None:
        self.log: list[Sent] = []
        self.closing = threading.Event()
        self.scheme = "http"
        owner = self

        class Handler(_Handler):
            listener = owner

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def secured(self, context: ssl.SSLContext) -> Self:
        """Speak TLS, before it listens."""
        self.scheme = "https"
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._server.server_address[1])

    @property
    def writes(self) -> list[Sent]:
        """The write requests so far."""
        return [one for one in self.log if one.method != "GET"]

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer one request, or do not."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening, and let go whoever is kept waiting."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that go away are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    listener: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

    def _take(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_form = "form" in self.headers.get("Content-Type", "")
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        plain = gzip.decompress(content) if is_packed else content
        body = json.loads(plain) if content and not is_form else {}
        sent = Sent(self.command, self.path, body, self.headers.get("X-Request-ID", ""))
        self.listener.log.append(sent)
        self.listener.answer(self, sent, content)

    do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""
