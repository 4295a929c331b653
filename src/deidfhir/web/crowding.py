"""Whether requests that are under way together only keep each other waiting."""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOW = 8
"""So many answers are looked at together: a single one may be slow for a reason of its own."""

_ALONE, _CROWDED = 1.2, 1.4
_MOST_PATIENCE = 16
_FORGETS = 1.005
"""By so much the least time grows from window to window: a target that fills is slower for good."""


@dataclass(slots=True)
class Crowding:
    """Tells from the time that answers take, by size, whether there may be more at a time.

    Where a target has nothing left to give, one more request makes all others slower by as much.
    """

    _seconds: float = field(default=0.0, init=False)
    _size: int = field(default=0, init=False)
    _answers: int = field(default=0, init=False)
    _least: float = field(default=float("inf"), init=False)
    _patience: int = field(default=1, init=False)
    _waits: int = field(default=0, init=False)

    def step(self, seconds: float, size: int) -> int:
        """Count an answer; return by how many requests more or less there should be now.

        Args:
            seconds: From the request's first byte to the answer's last.
            size: Bytes that were sent.
        """
        self._seconds, self._size = self._seconds + seconds, self._size + max(size, 1)
        self._answers += 1
        if self._answers < WINDOW:
            return 0
        mean = self._seconds / self._size
        self._least = min(self._least * _FORGETS, mean)
        self.begin()
        ratio = mean / self._least if self._least else 1.0
        if ratio > _CROWDED:
            # One more was one too many, and will be for a while.
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
            self._waits = self._patience
            return -1
        self._waits = max(0, self._waits - 1)
        return 1 if ratio < _ALONE and not self._waits else 0

    def forget(self) -> None:
        """Begin anew with a target that has failed: it may be slower for good than it was."""
        self._least = float("inf")
        self.begin()

    def begin(self) -> None:
        """Begin a window: what was answered before was under way with others or fewer."""
        self._seconds, self._size, self._answers = 0.0, 0, 0
