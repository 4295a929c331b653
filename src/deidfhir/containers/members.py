"""A member of a container, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Read = Callable[[int], bytes]
"""Gives the next bytes, at most so many as are asked for; none at the end."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a container; it can be read until the next one is asked for.

    Args:
        name: As the container has it, without `.` and empty parts; what is no text is escaped.
        size: Its bytes, as the container says.
        read: Gives its next bytes.
        trouble: Code of the finding for which it is not read, or an empty text.
    """

    name: str
    size: int
    read: Read
    trouble: str = ""


def nothing(_size: int) -> bytes:
    """Give no byte: a member that is not read."""
    return b""
