"""Time as the room sees it, so that tests need not wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_TIMEOUT = 25.0
"""Seconds for one request with all its repetitions; a silent target ends a run within 30 s."""


def never() -> bool:
    """Return whether to stop a run that nobody can ask to: it goes on to its end."""
    return False


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
