"""Connections on which nothing happens end, and those on which too much does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from deidfhir.gateway.limits import Limits
from deidfhir.gateway.server import Place, configured

Result = TypeVar("Result")
SIZE = 64 << 20


_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
BESIDE = {
    "many trailers": (_HEAD + b"1\r\nx\r\n0\r\n", b"X: a\r\n" * 100),
    "one long trailer": (_HEAD + b"0\r\nX: ", b"a" * 1000),
    "a chunk extension": (_HEAD + b"1;", b"a" * 1000),
    "empty lines": (b"", b"\r\n" * 500),
}


async def patient(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the names of the headers once a body has come as a whole."""
    if scope["type"] == "lifespan":
        await large(scope, receive, send)
        return
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] != "http.disconnect":
        names = b" ".join(name for name, _ in scope["headers"])
        headers = [(b"content-length", str(len(names)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": names})


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than a socket's buffers hold."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    headers = [(b"content-length", str(SIZE).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(SIZE)})


async def served(
    app: ASGIApp, limits: Limits, ask: Callable[[int, uvicorn.Server], Result]
) -> Result:
    """Return what asking a server of an application by its port gives."""
    place = Place("127.0.0.1", 0)
    with place.listen() as listener:
        server = uvicorn.Server(configured(app, limits, "https://x.example", place))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        found = await asyncio.to_thread(ask, listener.getsockname()[1], server)
        server.should_exit = True
        await serving
    return found


def test_an_answer_that_nobody_takes_is_let_go() -> None:
    assert asyncio.run(served(large, Limits(idle=1), _slowly)) < SIZE


@pytest.mark.parametrize("what", BESIDE)
def test_what_stands_beside_a_body_is_bounded(what: str) -> None:
    begin, more = BESIDE[what]

    def ask(port: int, _server: uvicorn.Server) -> int:
        sent = 0
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(begin)
            try:
                while sent < 16 << 20:
                    connection.sendall(more)
                    sent += len(more)
            except ConnectionError:
                pass
        return sent

    assert asyncio.run(served(patient, Limits(), ask)) < 16 << 20


def test_a_trailer_is_passed_over_and_no_header() -> None:
    def ask(port: int, _server: uvicorn.Server) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            head = _HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            connection.sendall(head + b"1\r\nx\r\n0\r\nAuthorization: x\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    answer = asyncio.run(served(patient, Limits(), ask))
    assert answer.endswith(b"\r\n\r\nhost transfer-encoding connection")


def _slowly(port: int, server: uvicorn.Server) -> int:
    """Ask, read nothing until the other side has given up, then all that there is."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1)
        for _ in range(1000):
            if not server.server_state.connections:
                break
            threading.Event().wait(0.01)
        size = 0
        try:
            while chunk := connection.recv(1 << 20):
                size += len(chunk)
        except ConnectionError:
            pass
    return size
