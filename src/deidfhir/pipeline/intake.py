"""What requests have brought, in the order in which they came, until the target states it.

It is kept in memory alone: what waits when the process ends is gone, and its senders were told so.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from threading import Condition

from deidfhir.errors import DeidFhirError, FatalError, UsageError, internal
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.delivery import Delivery
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.outcomes import FAILED, Outcome, outcomes_of
from deidfhir.pipeline.requested import Requested, one_run
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.web.timing import Stop

WAITING, UNDER_WAY = "waiting", "under-way"
UNITS, OBJECTS, CHARACTERS, REMEMBERED = 1000, 100_000, 256 << 20, 10_000
_TOGETHER = 200
_PATIENCE = 3
"""After so many failures in a row fewer go together: some of them may be what others wait for."""

_BETWEEN = 0.05
"""Seconds between two runs, in which a sync of another process may begin."""

_HELD = ("target-held", "journal-busy")
"""Codes of errors that another run of this host is at: it will be over."""

_SOON, _LONGEST = 0.2, 30.0
"""Seconds between two tries of what cannot be done now."""


class Crowded(Exception):  # noqa: N818 - an answer, not a fault
    """As much waits as may wait."""


class Halted(Exception):  # noqa: N818 - an answer, not a fault
    """Nothing can be done now; it is tried again by itself.

    Args:
        seconds: Until the next try.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


Run = Callable[[tuple[Delivery, ...]], dict[str, Outcome]]
"""Has deliveries stated: unit → what came of it; an error is that of the whole run."""


@dataclass(slots=True)
class Intake:
    """A queue with one worker, who takes what goes together into one run.

    Args:
        run: Makes the target state it.
        now: Seconds of a clock that never goes back.
        tell: Says a line to whoever runs the process.
        sleep: Waits some seconds.
        units: How many may wait.
        objects: How many objects may wait.
        characters: How much they may state, with what is under way.
    """

    run: Run
    now: Callable[[], float]
    tell: Callable[[str], object] = str
    sleep: Callable[[float], None] = time.sleep
    units: int = UNITS
    objects: int = OBJECTS
    characters: int = CHARACTERS
    done: Counter[str] = field(default_factory=Counter, init=False)
    """How many units were stated, refused and failed."""

    _waiting: deque[Delivery] = field(default_factory=deque, init=False)
    _states: OrderedDict[str, Outcome] = field(default_factory=OrderedDict, init=False)
    _changed: Condition = field(default_factory=Condition, init=False)
    _taken: tuple[Delivery, ...] = field(default=(), init=False)
    _error: DeidFhirError | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _alone: int = field(default=0, init=False)
    _most: int = field(default=_TOGETHER, init=False)
    _next: float = field(default=0.0, init=False)
    _ending: float | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)

    def put(self, one: Delivery) -> None:
        """Take in what a request has brought; the same once more is the same unit.

        Args:
            one: The delivery.

        Raises:
            Halted: Nothing can be done now.
            Crowded: As much waits as may wait.
        """
        with self._changed:
            if not self._ended and self._is_last(one):
                return
            if self._ended or self._error is not None:
                raise Halted(max(self._next - self.now(), 1.0))
            if self._is_crowded(one):
                raise Crowded
            self._waiting.append(one)
            self._note(one.unit, Outcome(WAITING))
            self._changed.notify_all()

    def state(self, unit: str) -> Outcome | None:
        """Return what has come of a unit so far; None of one that is not known any more.

        Args:
            unit: Its name.
        """
        with self._changed:
            return self._states.get(unit)

    @property
    def waiting(self) -> int:
        """How many units wait or are under way."""
        with self._changed:
            return len(self._waiting) + len(self._taken)

    @property
    def error(self) -> DeidFhirError | None:
        """What keeps it from being done now, if anything does."""
        return self._error

    @property
    def needs_someone(self) -> bool:
        """Whether someone must act before anything can be done."""
        return isinstance(self._error, (FatalError, UsageError))

    def end(self, seconds: float) -> None:
        """Let `work` come to its end: when nothing waits, or what waits cannot be done in time.

        Args:
            seconds: How long that may take; then the run that is under way is asked to end.
        """
        with self._changed:
            if self._ending is None:
                self._ending = self.now() + seconds
                self._failures, self._next = 0, 0.0
            self._changed.notify_all()

    @property
    def remaining(self) -> float:
        """Seconds until what is under way is asked to end; none before `end` is called."""
        with self._changed:
            return 0.0 if self._ending is None else max(self._ending - self.now(), 0.0)

    def why_stop(self) -> str:
        """Return the code of the error that ends the run under way, or an empty text."""
        ending = self._ending
        return "interrupted" if ending is not None and self.now() >= ending else ""

    def work(self) -> int:
        """Have stated what comes, until `end` is called; return how many units were left."""
        while (taken := self._take()) is not None:
            if not taken:
                continue
            try:
                outcomes = self.run(taken)
            except DeidFhirError as error:
                self._put_off(error)
            except Exception as error:  # noqa: BLE001 - one request must not end all others
                self._break(taken, error)
            else:
                self._finish(outcomes)
                self.sleep(_BETWEEN)
        return len(self._waiting)

    def _take(self) -> tuple[Delivery, ...] | None:
        """Return what is to be done next; nothing while there is nothing; None at the end."""
        with self._changed:
            if self._ending is not None and (not self._waiting or self._is_hopeless()):
                self._ended = True
                return None
            pause = self._next - self.now() if self._error else 0.0
            if not self._waiting or pause > 0:
                self._changed.wait(pause if self._waiting else None)
                return ()
            together = 1 if self._alone else self._most
            taken = one_run(islice(self._waiting, together))
            for one in taken:
                self._waiting.popleft()
                self._note(one.unit, Outcome(UNDER_WAY))
            self._taken = taken
            return taken

    def _is_hopeless(self) -> bool:
        """Whether what waits at the end cannot be done: it was tried once more, or time is over."""
        error = self._error if self._failures else None
        return bool(self.why_stop()) or (error is not None and error.code not in _HELD)

    def _put_off(self, error: DeidFhirError) -> None:
        with self._changed:
            if self._error is None or self._error.code != error.code:
                self.tell(f"what was sent waits: {error}")
            self._error = error
            self._failures += 1
            pause = _SOON if self._ending is not None else 2.0 ** (self._failures - 1)
            self._next = self.now() + min(pause, _LONGEST)
            if self._failures >= _PATIENCE:
                self._most = max(len(self._taken) // 2, 1)
            self._give_back()

    def _break(self, taken: tuple[Delivery, ...], error: Exception) -> None:
        """Let a fault that nobody foresaw be that of one unit: each is tried alone."""
        with self._changed:
            if len(taken) > 1:
                self._alone = len(taken)
                self._give_back()
                return
            self.tell(str(internal(error)))
            self._finish({one.unit: Outcome(FAILED) for one in taken})

    def _give_back(self) -> None:
        for one in reversed(self._taken):
            self._waiting.appendleft(one)
            self._note(one.unit, Outcome(WAITING))
        self._taken = ()

    def _finish(self, outcomes: dict[str, Outcome]) -> None:
        with self._changed:
            if self._error is not None:
                self.tell("what was sent is being stated again")
                self._error, self._failures = None, 0
            self._alone = max(self._alone - 1, 0)
            self._most = min(2 * self._most, _TOGETHER)
            self._taken = ()
            waiting = {one.unit for one in self._waiting}
            for unit, outcome in outcomes.items():
                self.done[outcome.state] += 1
                if unit not in waiting:
                    self._note(unit, outcome)

    def _is_crowded(self, one: Delivery) -> bool:
        """Whether there is no room for one more; what is too large by itself is taken by itself."""
        objects = sum(len(each.instances) for each in self._waiting) + len(one.instances)
        here = (*self._taken, *self._waiting)
        size = sum(each.size for each in here) + one.size
        return (
            len(self._waiting) >= self.units
            or (bool(self._waiting) and objects > self.objects)
            or (bool(here) and size > self.characters)
        )

    def _is_last(self, one: Delivery) -> bool:
        """Whether just this waits already, and nothing after it that speaks of the same."""
        for each in reversed(self._waiting):
            if each.unit == one.unit:
                return True
            if each.names & one.names:
                return False
        return False

    def _note(self, unit: str, outcome: Outcome) -> None:
        self._states[unit] = outcome
        self._states.move_to_end(unit)
        while len(self._states) > REMEMBERED:
            self._states.popitem(last=False)


def stating(where: TargetOptions, context: MappingContext, stop: Stop) -> Run:
    """Return what has deliveries stated as `deidfhir sync` would.

    Args:
        where: Target and journal.
        context: FHIR version, settings and policy.
        stop: Asked why to end a run.
    """

    def run(deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        done = run_sync(RunOptions(Requested(deliveries), context, stop=stop), where)
        if done.error is not None:
            raise done.error
        return outcomes_of(done, deliveries)

    return run
