"""Talk to people: progress, and lines that cannot move a terminal's cursor."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TextIO

from deidfhir.errors import DeidFhirError

_EVERY = {True: 0.2, False: 10.0}
_CLEAR = "\r\x1b[K"
_WINDOW = 60
"""The rate is that of so many seconds: a run that slows down says so."""


class Progress:
    """Tells on stderr how far a run is, how fast, and how long it will take.

    Args:
        stream: Where to tell it.
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._monotonic = monotonic
        self._terminal = self._stream.isatty()
        self._due = monotonic() + _EVERY[self._terminal]
        self._shown = False
        self._what = ""
        self._pace = _Pace()

    def __call__(self, what: str, count: int, total: int = 0) -> None:
        """Tell a count, unless the last one was told a moment ago.

        Args:
            what: What is counted.
            count: How many there are so far.
            total: How many there will be; 0 if that is not known.
        """
        now = self._monotonic()
        if what != self._what:
            self._what, self._pace = what, _Pace()
        self._pace.note(now, count)
        if now < self._due:
            return
        self._due = now + _EVERY[self._terminal]
        line = f"deidfhir: {what}: {count}{self._pace.told(total)}"
        self._stream.write(f"{_CLEAR}{line}" if self._terminal else f"{line}\n")
        self._shown = self._terminal
        self._stream.flush()

    def close(self) -> None:
        """Take the moving line away."""
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._shown = False


class _Pace:
    """How fast a count grows, as far as the last minute tells."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._last = (0.0, 0)

    def note(self, now: float, count: int) -> None:
        """Note a count; one a second is kept."""
        self._last = (now, count)
        if not self._seen or now - self._seen[-1][0] >= 1:
            self._seen.append(self._last)
        while len(self._seen) > 1 and now - self._seen[1][0] >= _WINDOW:
            self._seen.popleft()

    def told(self, total: int) -> str:
        """Return what stands behind the count: total, rate and time that is left."""
        now, count = self._last
        since, before = self._seen[0]
        rate = (count - before) / (now - since) if now - since >= 1 else 0.0
        text = f" of {total}" if total else ""
        if rate > 0:
            text += f", {rate:.{0 if rate >= 10 else 1}f}/s"
            if total > count:
                text += f", {_duration((total - count) / rate)} left"
        return text


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def printable(text: str) -> str:
    """Return a text whose control characters cannot move a terminal's cursor."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def tell(lines: Iterable[str]) -> None:
    """Print data."""
    for line in lines:
        print(line)  # noqa: T201 - the data


def say(lines: Iterable[str]) -> None:
    """Talk to people."""
    for line in lines:
        print(printable(line), file=sys.stderr)  # noqa: T201 - the talk


def say_error(error: DeidFhirError | None) -> None:
    """Say what ended a run, if anything did."""
    if error is not None:
        say([f"deidfhir: {error}"])
