"""A bare ASGI application that answers with the body it got, served as a gateway is.

python -m tools.bench_echo --port PORT
"""

from __future__ import annotations

import argparse

import uvicorn
from starlette.types import Receive, Scope, Send

from deidfhir.config import Settings
from deidfhir.gateway.limits import Limits
from deidfhir.gateway.server import Place, configured


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(chunks)
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/dicom"), length]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until it is asked to end."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    place = Place("127.0.0.1", options.parse_args().port)
    with place.listen() as listener:
        config = configured(echo, Limits(), Settings().canonical, place)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
