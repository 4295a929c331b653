"""Connections on which nothing happens end."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn
from starlette.types import Receive, Scope, Send

from deidfhir.gateway.limits import Limits
from deidfhir.gateway.server import Place, configured

SIZE = 64 << 20


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


def test_an_answer_that_nobody_takes_is_let_go() -> None:
    async def received() -> int:
        place = Place("127.0.0.1", 0)
        with place.listen() as listener:
            server = uvicorn.Server(configured(large, Limits(idle=1), "https://x.example", place))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            found = await asyncio.to_thread(_slowly, listener.getsockname()[1], server)
            server.should_exit = True
            await serving
        return found

    assert asyncio.run(received()) < SIZE


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
