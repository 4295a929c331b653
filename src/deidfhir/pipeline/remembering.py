"""Decisions that are remembered for some seconds, so many at most."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock

from deidfhir.pipeline.judging import Decision


@dataclass(slots=True)
class Remembered:
    """Decisions by what was asked; from as many threads as there are.

    Args:
        most: How many there are at most; the one that was needed longest ago goes.
    """

    most: int
    _kept: OrderedDict[str, tuple[float, Decision]] = field(default_factory=OrderedDict, init=False)
    _since: float = field(default=float("-inf"), init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def get(self, asked: str, now: float) -> Decision | None:
        """Return a decision that still stands.

        Args:
            asked: What is asked.
            now: Instant of a clock that never goes back.
        """
        with self._lock:
            begun, decision = self._kept.get(asked, (float("-inf"), None))
            if decision is None or now >= begun + decision.lasts:
                self._kept.pop(asked, None)
                return None
            self._kept.move_to_end(asked)
            return replace(decision, age=now - begun)

    def put(self, asked: str, decision: Decision, begun: float) -> None:
        """Remember a decision.

        Args:
            asked: What was asked.
            decision: The answer; it stands for as long as it says.
            begun: The instant before the target was asked: what it said is no younger.
        """
        with self._lock:
            if begun > self._since:
                self._kept[asked] = begun, decision
                self._kept.move_to_end(asked)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)

    def forget(self, now: float) -> None:
        """Forget everything, also what is being asked now: the target has changed.

        Args:
            now: Instant of the same clock.
        """
        with self._lock:
            self._since = now
            self._kept.clear()
