"""An HTTP proxy: passes on plain requests, opens tunnels, may ask for a password."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "proxy-authorization"}


class Proxy:
    """Listens on a free port of loopback.

    Attributes:
        asked: Method and address of each request.
        credentials: `user:password` that it asks for, if any.
        refusal: Status of every answer, if set.
    """

    def __init__(self, credentials: str = "") -> None:
        self.asked: list[str] = []
        self.credentials = credentials
        self.refusal = 0
        owner = self

        class Handler(_Handler):
            proxy = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def _is_refused(self) -> bool:
        self.proxy.asked.append(f"{self.command} {self.path}")
        status = self.proxy.refusal
        if self.proxy.credentials:
            wanted = f"Basic {b64encode(self.proxy.credentials.encode()).decode()}"
            if self.headers.get("Proxy-Authorization") != wanted:
                status = 407
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return bool(status)

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        if self._is_refused():
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), 10) as far:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pour, args=(far, self.connection), daemon=True)
            back.start()
            _pour(self.connection, far)
            back.join(5)
        self.close_connection = True

    def _pass_on(self) -> None:
        if self._is_refused():
            return
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(self.command, path, content or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(1 << 16):
            sink.sendall(content)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
