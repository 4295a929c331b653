"""A relay in front of a real server: records each request, and can withhold an answer."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from copy import deepcopy
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.integration.listener import Listener, Sent

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Relay(Listener):
    """Passes requests on to one server.

    Attributes:
        withhold_from: Number of the write request whose answer, and all after it, never arrives;
            the server gets the request all the same.
        withheld: Set once an answer is withheld.
        lost: Numbers of the write requests whose answer is lost: the connection breaks instead.
        tamper: Changes the JSON of what is written before the server gets it.
        kept: Numbers of the write requests that break the connection and never reach the server.
        before_write: Called once, before the next write request is passed on.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self.withhold_from: int | None = None
        self.withheld = threading.Event()
        self.lost: frozenset[int] = frozenset()
        self.kept: frozenset[int] = frozenset()
        self.tamper: Callable[[dict[str, Any]], None] | None = None
        self.before_write: Callable[[], object] | None = None
        self._server_address = urlsplit(target).netloc
        self._path = urlsplit(target).path

    @property
    def url(self) -> str:
        """The base URL to use in place of the server's."""
        return f"{self.scheme}://127.0.0.1:{self.port}{self._path}"

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Pass on a request, and its answer unless that is withheld."""
        withhold = (
            sent.method != "GET"
            and self.withhold_from is not None
            and len(self.writes) >= self.withhold_from
        )
        number = len(self.writes) if sent.method != "GET" else 0
        if number in self.kept:
            request.close_connection = True
            return
        if sent.method != "GET" and self.before_write is not None:
            hook, self.before_write = self.before_write, None
            hook()
        headers = {name: text for name, text in request.headers.items() if name.lower() not in _HOP}
        if self.tamper is not None and sent.method != "GET":
            headers.pop("Content-Encoding", None)
            changed = deepcopy(sent.body)
            self.tamper(changed)
            content = json.dumps(changed).encode()
        connection = http.client.HTTPConnection(self._server_address, timeout=60)
        try:
            connection.request(sent.method, sent.path, content or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if number in self.lost:
            request.close_connection = True
            return
        if withhold:
            self.withheld.set()
            self.closing.wait()
            request.close_connection = True
            return
        request.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in _HOP:
                request.send_header(name, text)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def spoiling(name: str) -> Callable[[dict[str, Any]], None]:
    """Return what makes one ImagingStudy of a transaction one that no server takes.

    Args:
        name: Its reference.
    """

    def spoil(bundle: dict[str, Any]) -> None:
        for entry in bundle.get("entry", ()):
            if entry["request"]["url"] == name and "resource" in entry:
                entry["resource"]["status"] = "spoiled"

    return spoil
