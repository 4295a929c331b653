"""Talk to people: progress, and lines that cannot move a terminal's cursor."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_EVERY = {True: 0.2, False: 10.0}
_CLEAR = "\r\x1b[K"


class Progress:
    """Tells on stderr how far a run is.

    Args:
        stream: Where to tell it.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._due = time.monotonic() + _EVERY[self._terminal]
        self._shown = False

    def __call__(self, what: str, count: int) -> None:
        """Tell a count, unless the last one was told a moment ago."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _EVERY[self._terminal]
        if self._terminal:
            self._stream.write(f"{_CLEAR}deidfhir: {what}: {count}")
            self._shown = True
        else:
            self._stream.write(f"deidfhir: {what}: {count}\n")
        self._stream.flush()

    def close(self) -> None:
        """Take the moving line away."""
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._shown = False


def printable(text: str) -> str:
    """Return a text whose control characters cannot move a terminal's cursor."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
