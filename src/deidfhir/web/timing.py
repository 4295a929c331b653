"""Time as the room sees it, so that tests need not wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_TIMEOUT = 25.0
"""Seconds for one request with all its repetitions; a silent target ends a run within 30 s."""


CONNECTIONS = 4
"""Requests under way at most; more keep a server of few processors no busier."""

Stop = Callable[[], str]
"""Returns the code of the error that ends a run now, or an empty text."""


def never() -> str:
    """Return why to end a run that nobody can ask to end: for no reason."""
    return ""


@dataclass(slots=True)
class Clock:
    """The clocks that a run looks at.

    Args:
        now: Seconds since the epoch.
        monotonic: Seconds of a clock that never goes back.
        sleep: Waits some seconds.
        random: Gives a number from 0 up to 1, to spread what many clients would do at once.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


@dataclass(slots=True)
class Term:
    """The time that something has, from when it is its turn.

    Args:
        seconds: How long.
        until: Instant of the monotonic clock at which it is over; None before it began.
    """

    seconds: float
    until: float | None = None

    def begin(self, now: float) -> float:
        """Return when it is over; it begins the first time that it is asked."""
        if self.until is None:
            self.until = now + self.seconds
        return self.until

    def is_over(self, now: float) -> bool:
        """Whether it began and is over."""
        return self.until is not None and now >= self.until


def stops_after(seconds: float | None, clock: Clock, stop: Stop = never) -> Stop:
    """Return what ends a run after some time, or earlier if it is asked to.

    Args:
        seconds: From now; None for no end.
        clock: The time.
        stop: What else may end it.
    """
    if seconds is None:
        return stop
    over = clock.monotonic() + seconds
    return lambda: stop() or ("deadline-over" if clock.monotonic() >= over else "")
