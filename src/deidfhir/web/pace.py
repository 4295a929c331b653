"""How many requests at a time, and when the next one: shared by all connections of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from deidfhir.errors import DeidFhirError
from deidfhir.web.crowding import Crowding
from deidfhir.web.timing import Clock

_FIRST_LIMIT = 2
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_OPENS_AFTER = 8
"""So many failures with nothing between them that went well: the target is down."""

_OPEN_FOR = 5.0
"""For so many seconds after someone gave it up, nobody asks a target that is down."""


@dataclass(slots=True)
class Pace:
    """Adds a connection as long as that makes none slower, and halves them on failure.

    A pause after a failure is everybody's: it doubles from failure to failure, with full jitter,
    so that clients that were refused together do not come back together. Failures of requests
    that were under way together count once.

    Args:
        most: Connections at most.
        clock: The time.
    """

    most: int = 1
    clock: Clock = field(default_factory=Clock)
    _limit: int = field(init=False)
    _under_way: Counter[bool] = field(default_factory=Counter, init=False)
    _reads_waiting: int = field(default=0, init=False)
    _crowding: Crowding = field(default_factory=Crowding, init=False)
    _failures: int = field(default=0, init=False)
    _writes_fail: bool = field(default=False, init=False)
    _failed_at: float = field(default=float("-inf"), init=False)
    _pause: float = field(default=_FIRST_PAUSE, init=False)
    _goes_on_at: float = field(default=float("-inf"), init=False)
    _closed_until: float = field(default=float("-inf"), init=False)
    _reason: DeidFhirError | None = field(default=None, init=False)
    _free: Condition = field(default_factory=Condition, init=False)

    def __post_init__(self) -> None:
        """Begin with few: the target tells what it takes."""
        self._limit = min(_FIRST_LIMIT, self.most)

    @property
    def limit(self) -> int:
        """How many writes may be under way now."""
        return self._limit

    def keep_to(self, most: int) -> None:
        """Let no more than so many requests be under way, however many there might be.

        Args:
            most: What the target is known to take.
        """
        with self._free:
            self.most = min(self.most, most)
            self._limit = min(self._limit, self.most)

    @contextmanager
    def turn(self, *, is_write: bool = True) -> Iterator[None]:
        """Wait until one more request may be under way, and count it as such inside.

        Args:
            is_write: Whether it is a write; what is read is what later writes wait for: it costs
                little and goes before them.

        Raises:
            DeidFhirError: Why the target was just given up.
        """
        with self._free:
            self._reads_waiting += not is_write
            try:
                self._free.wait_for(lambda: self._may_go(is_write=is_write))
            finally:
                self._reads_waiting -= not is_write
                self._free.notify_all()
            if self._reason is not None and self.clock.monotonic() < self._closed_until:
                raise self._reason
            self._under_way[is_write] += 1
        try:
            yield
        finally:
            with self._free:
                self._under_way[is_write] -= 1
                self._free.notify_all()

    def _may_go(self, *, is_write: bool) -> bool:
        if self._under_way.total() >= self.most:
            return False
        return not is_write or (self._under_way[True] < self._limit and not self._reads_waiting)

    def wait(self, until: float) -> None:
        """Wait for the end of the pause that all keep.

        Args:
            until: Instant of the monotonic clock at which the request's time is over.

        Raises:
            DeidFhirError: Why they pause, if that is longer.
        """
        while (left := self._goes_on_at - self.clock.monotonic()) > 0:
            if self._goes_on_at >= until and self._reason is not None:
                self._give_up()
                raise self._reason
            self.clock.sleep(left)

    def went_well(self, seconds: float = 0.0, size: int = 0, *, is_write: bool = False) -> None:
        """Count an answer; those to writes say how many there may be at a time.

        Args:
            seconds: How long it took.
            size: Bytes that were sent.
            is_write: Whether it answers a write. Reading may go well while no write does.
        """
        with self._free:
            if self._writes_fail and not is_write:
                return
            self._failures, self._pause, self._writes_fail = 0, _FIRST_PAUSE, False
            if is_write:
                step = self._crowding.step(seconds, size)
                if step > 0 or self._limit > _FIRST_LIMIT:
                    self._limit = min(self._limit + step, self.most)

    def failed(
        self, begun: float, floor: float, reason: DeidFhirError, *, is_write: bool = False
    ) -> None:
        """Halve the connections, and let all pause.

        Args:
            begun: When the request was begun, by the monotonic clock.
            floor: Seconds that the target asks to wait at least.
            reason: What to tell whoever cannot wait so long.
            is_write: Whether it was a write.
        """
        with self._free:
            self._writes_fail |= is_write
            self._reason = reason
            now = self.clock.monotonic()
            self._failures += 1
            self._goes_on_at = max(self._goes_on_at, now + floor)
            if begun < self._failed_at:
                return  # it was under way when the failure came that is counted already
            self._slow_down(now)
            self._goes_on_at = max(self._goes_on_at, now + self._pause * self.clock.random())
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def stumbled(self, begun: float) -> None:
        """Halve the connections for a failure that may be the request's own; nobody pauses.

        Args:
            begun: When the request was begun, by the monotonic clock.
        """
        with self._free:
            if begun >= self._failed_at:
                self._slow_down(self.clock.monotonic())

    def _give_up(self) -> None:
        """Let nobody wait for a target that is down as long as someone else already did."""
        with self._free:
            if self._failures >= _OPENS_AFTER:
                self._closed_until = self.clock.monotonic() + _OPEN_FOR

    def _slow_down(self, now: float) -> None:
        self._failed_at = now
        self._crowding.forget()
        self._limit = max(1, self._limit // 2)
