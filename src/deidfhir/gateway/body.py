"""The body of a request: its form is required first, then it is received within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request

from deidfhir.gateway.answers import refused
from deidfhir.gateway.limits import Limits
from deidfhir.gateway.media import MediaType, media_type


def form_of(request: Request, taken: Sequence[str]) -> MediaType:
    """Return the media type of a request's body.

    Args:
        request: The request.
        taken: Those that the route takes.

    Raises:
        Refused: `content-not-supported`.
    """
    found = media_type(request.headers.get("content-type", ""))
    encoded = request.headers.get("content-encoding", "identity").strip().lower()
    if found is None or found.name not in taken or encoded != "identity":
        raise refused("content-not-supported", Accept=", ".join(taken))
    return found


async def received(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        limits: How large it may be, and how long it may take.

    Raises:
        Refused: `body-too-large`, `body-empty` or `request-slow`.
    """
    stated = request.headers.get("content-length", "0")
    if not stated.isdigit() or int(stated[:20]) > limits.body:
        raise refused("body-too-large")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.receiving):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.body:
                    raise refused("body-too-large")
                chunks.append(chunk)
    except TimeoutError:
        raise refused("request-slow", Connection="close") from None
    if not size:
        raise refused("body-empty")
    return b"".join(chunks)
