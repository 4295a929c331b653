"""What one request may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, how long and how many.

    Args:
        body: Bytes of a body.
        objects: Objects in a body.
        requests: Requests under way at a time, and for the first of these two as long as they are
            being received.
        connections: Connections that are open at a time.
        receiving: Seconds within which a request must have come as a whole.
        heading: Seconds within which its head must have come, if those are fewer.
        handling: Seconds within which its answer must be made.
        idle: Seconds that a connection is kept without a request.
        draining: Seconds for what is under way once the gateway was asked to end.
    """

    body: int = 64 << 20
    objects: int = 10_000
    requests: int = 16
    connections: int = 256
    receiving: float = 30.0
    heading: float = 10.0
    handling: float = 30.0
    idle: float = 20.0
    draining: float = 30.0
