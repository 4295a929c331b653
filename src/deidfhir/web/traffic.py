"""What the requests of a run cost: how many, how long, how large, and what was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from threading import Lock

QUANTILES = (50, 95, 99)


@dataclass(slots=True)
class Traffic:
    """The requests of one run, each attempt counted.

    Args:
        statuses: HTTP status → how many answers had it.
        unanswered: Attempts without an answer: no connection, cut, or silent for too long.
        repeated: Attempts that were repetitions of one that failed.
        waited: Seconds waited before repetitions, of all connections together.
        sent: Bytes of bodies sent.
        received: Bytes of bodies received, decompressed.
        seconds: How long each answered attempt took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    repeated: int = 0
    waited: float = 0.0
    sent: int = 0
    received: int = 0
    seconds: list[float] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def requests(self) -> int:
        """How many attempts there were."""
        return self.statuses.total() + self.unanswered

    def sending(self, size: int, *, again: bool = False) -> None:
        """Count an attempt.

        Args:
            size: Bytes of its body.
            again: Whether it is the repetition of one that failed.
        """
        with self._lock:
            self.sent += size
            self.repeated += again

    def pausing(self, seconds: float) -> None:
        """Count a pause.

        Args:
            seconds: How long it is.
        """
        with self._lock:
            self.waited += seconds

    def lost(self) -> None:
        """Count an attempt as one without an answer."""
        with self._lock:
            self.unanswered += 1

    def answered(self, status: int, received: int, seconds: float) -> None:
        """Count an answer.

        Args:
            status: HTTP status.
            received: Bytes of its body.
            seconds: From the request to the end of the body.
        """
        with self._lock:
            self.statuses[status] += 1
            self.received += received
            self.seconds.append(seconds)

    def rate(self, seconds: float) -> float | None:
        """Return how many requests a second there were; None of no time.

        Args:
            seconds: How long the run took.
        """
        return self.requests / seconds if seconds > 0 else None

    def quantile(self, percent: int) -> float | None:
        """Return in how many seconds so many of the answers were there; None without any.

        Args:
            percent: From 1 to 100; the nearest rank, so that it is a time that was measured.
        """
        if not self.seconds:
            return None
        return sorted(self.seconds)[ceil(percent / 100 * len(self.seconds)) - 1]
