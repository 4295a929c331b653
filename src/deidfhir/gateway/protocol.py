"""uvicorn's HTTP protocol, with limits on slow clients and on many, and our own words."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from deidfhir.gateway.answers import FHIR_JSON, outcome_of, refused
from deidfhir.gateway.limits import Limits

_GRACE = 5.0
"""Seconds more than a request may take to come: within them its route answers that it is slow."""

_MOST_HEAD = 64 << 10
"""Bytes of a head that is not complete, and of what stands beside a body: trailers and the like."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections on which no whole request comes in time, and those that are too many.

    `bounded` makes the class that a gateway uses.
    """

    limits: ClassVar[Limits] = Limits()
    canonical: ClassVar[str] = ""
    _deadline: asyncio.TimerHandle | None = None
    _head: int | None = None
    """Bytes of a head that has begun; None outside of one."""
    _beside: int = 0
    """Bytes since the last that belonged to a body."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's types are its own
        """Begin a connection, or end it where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse("gateway-crowded")
            return
        self._within(min(self.limits.heading, self.limits.receiving))

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._whenever()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the parser itself would take a head of any size."""
        self._beside += len(data)
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
        if max(self._head or 0, self._beside) > _MOST_HEAD:
            self._refuse("head-too-large")

    def on_message_begin(self) -> None:
        """Begin a request: its head must come."""
        super().on_message_begin()
        self._head, self._beside = 0, 0
        self._within(min(self.limits.heading, self.limits.receiving))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are none, and nobody asks for them (RFC 9110 6.5.1)."""
        if self._head is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Take the head of a request: the rest must come."""
        self._head, self._beside = None, 0
        self._within(self.limits.receiving + _GRACE)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take some of a body."""
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take a request as a whole."""
        self._whenever()
        self._beside = 0
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing is asked; an answer that nobody takes is let go."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        self._refuse("request-broken")

    def _within(self, seconds: float) -> None:
        self._whenever()
        self._deadline = self.loop.call_later(seconds, self._refuse, "request-slow")

    def _whenever(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, code: str) -> None:
        """End the connection, with an answer unless one is under way."""
        self._whenever()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            answer = outcome_of(refused(code), self.canonical)
            head = (
                f"content-type: {FHIR_JSON}\r\ncontent-length: {len(answer.body)}\r\n"
                "connection: close\r\n\r\n"
            )
            line = STATUS_LINE[answer.status_code]
            self.transport.write(line + head.encode("ascii") + bytes(answer.body))
        self.transport.close()


def bounded(limits: Limits, canonical: str) -> type[BoundedProtocol]:
    """Return the protocol of a gateway.

    Args:
        limits: What a request may cost.
        canonical: The site's canonical base, for answers.
    """
    given = {"limits": limits, "canonical": canonical}
    return type("GatewayProtocol", (BoundedProtocol,), given)
