"""What requests bring waits its turn, is stated together where that may be, and is never lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

from deidfhir.config import Settings
from deidfhir.dicom.dicomjson import header_of_json
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.model.record import Instance
from deidfhir.model.study import StudyFold
from deidfhir.pipeline.delivery import Delivery, delivery_of
from deidfhir.pipeline.intake import UNDER_WAY, WAITING, Crowded, Halted, Intake
from deidfhir.pipeline.outcomes import FAILED, STATED, Outcome
from tests.synthetic.objects import instance


def read(study: int, number: int, **attributes: str) -> Instance:
    """Return what a small object states, the first of its request."""
    stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1"} | attributes
    made = instance(study, 1, number, **stated)
    return instance_of(header_of_json(made.to_json_dict()), "#1")[0]


def delivered(*objects: tuple[int, int], method: str = "tool 1", **context: str) -> Delivery:
    """Return a delivery of objects, each a number of a study and one of an instance."""
    fold, found = StudyFold(), []
    for number, (study, one) in enumerate(objects, start=1):
        made = read(study, one, DeidentificationMethod=method)._replace(path=f"#{number}")
        fold.add(made)
        found.append(made)
    return delivery_of(fold, found, MappingContext("R4", Settings(**context)))  # type: ignore[arg-type]


@dataclass
class Target:
    """Takes what it is given, or fails as it is told to."""

    taken: list[tuple[str, ...]] = field(default_factory=list)
    errors: list[Exception | None] = field(default_factory=list)
    poison: str = ""

    def __call__(self, deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        """Take some deliveries."""
        units = tuple(one.unit for one in deliveries)
        if self.poison in units:
            raise ZeroDivisionError("PatientName=DOE")
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        self.taken.append(units)
        return dict.fromkeys(units, Outcome(STATED))


class Time:
    """A clock that does not move by itself."""

    at = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.at


def worked(intake: Intake, seconds: float = 60) -> int:
    """Let the worker do what waits, and come to its end."""
    intake.end(seconds)
    return intake.work()


def test_a_unit_is_called_after_what_leaves_and_nothing_else() -> None:
    one = delivered((1, 1))
    assert one.unit == delivered((1, 1)).unit
    assert len(one.unit) == 32
    assert one.studies == delivered((1, 2)).studies
    others = [delivered((1, 2)), delivered((2, 1)), delivered((1, 1), (1, 2))]
    others += [delivered((1, 1), method="tool 2"), delivered((1, 1), tenant="other")]
    assert len({one.unit, *(each.unit for each in others)}) == 6
    units, states = set(), set()
    for text in ("of nobody's business", "of nobody else's, either"):
        withheld = read(1, 1, StudyDescription=text)
        fold = StudyFold()
        fold.add(withheld)
        found = delivery_of(fold, [withheld], MappingContext())
        units.add(found.unit)
        states.add(found.instances[0].file)
    assert len(units) == len(states) == 1
    assert states != {delivered((1, 1), method="tool 2").instances[0].file}


def test_what_goes_together_is_one_run_and_what_speaks_again_of_the_same_another() -> None:
    target = Target()
    intake = Intake(target, Time())
    first, second, again = delivered((1, 1)), delivered((1, 2)), delivered((1, 1), method="other")
    for one in (first, second, again, delivered((3, 1))):
        intake.put(one)
    assert intake.state(first.unit) == Outcome(WAITING)
    assert (worked(intake), intake.waiting) == (0, 0)
    assert target.taken == [
        (first.unit, second.unit),
        (again.unit, delivered((3, 1)).unit),
    ]
    assert intake.state(again.unit) == Outcome(STATED)
    assert intake.state("unheard of") is None


def test_the_same_again_is_the_same_unit_unless_something_else_was_said_meanwhile() -> None:
    target = Target()
    intake = Intake(target, Time())
    first, other = delivered((1, 1)), delivered((1, 1), method="other")
    for one in (first, first, other, first):
        intake.put(one)
    worked(intake)
    assert target.taken == [(first.unit,), (other.unit,), (first.unit,)]


def test_no_more_waits_than_may_wait() -> None:
    intake = Intake(Target(), Time(), units=2, objects=4)
    intake.put(delivered((1, 1), (1, 2), (1, 3)))
    with pytest.raises(Crowded):
        intake.put(delivered((2, 1), (2, 2)))
    intake.put(delivered((2, 1)))
    with pytest.raises(Crowded):
        intake.put(delivered((3, 1)))
    many = Intake(Target(), Time(), objects=1)
    many.put(delivered((1, 1), (1, 2)))  # what is larger by itself is taken by itself
    assert many.waiting == 1


def test_no_more_waits_than_memory_is_there_for_and_what_is_under_way_counts() -> None:
    large = delivered((1, 1), method="x" * 10_000)
    assert 10_000 < large.size < 12_000
    series = delivered((2, 1), (2, 2), method="x" * 10_000)
    assert series.size < 24_000
    intake = Intake(Target(), Time(), characters=25_000)

    def run(deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        intake.put(delivered((3, 1), method="x" * 10_000))
        with pytest.raises(Crowded):
            intake.put(delivered((4, 1), method="x" * 10_000))
        intake.run = Target()
        return Target()(deliveries)

    intake.run = run
    intake.put(large)
    assert worked(intake) == 0
    alone = Intake(Target(), Time(), characters=10)
    alone.put(large)  # what is larger by itself is taken by itself
    assert alone.waiting == 1


@pytest.mark.parametrize(
    ("error", "needs"),
    [
        (RetriableError("target-down", url="http://x", what="refused"), False),
        (FatalError("journal-unusable", path="x"), True),
    ],
)
def test_what_cannot_be_done_now_waits_and_nothing_more_is_taken(
    error: DeidFhirError, *, needs: bool
) -> None:
    said: list[str] = []
    target, one = Target(errors=[error]), delivered((1, 1))
    intake = Intake(target, time.monotonic, said.append)
    with working(intake):
        intake.put(one)
        until(lambda: intake.error is not None)
        assert intake.state(one.unit) == Outcome(WAITING)
        assert (intake.error, intake.needs_someone) == (error, needs)
        with pytest.raises(Halted) as halted:
            intake.put(delivered((2, 1)))
        assert halted.value.seconds == 1.0
        intake.put(one)  # it is known, and waits
    assert (intake.state(one.unit), intake.error) == (Outcome(STATED), None)
    assert said == [f"what was sent waits: {error}", "what was sent is being stated again"]


def test_at_the_end_what_cannot_be_done_is_tried_once_more_and_told() -> None:
    error = RetriableError("target-down", url="http://x", what="refused")
    target = Target(errors=[error, error, error])
    intake = Intake(target, Time())
    intake.put(delivered((1, 1)))
    intake.put(delivered((2, 1)))
    assert worked(intake) == 2
    assert len(target.errors) == 2


def test_at_the_end_another_run_is_waited_for() -> None:
    held = RetriableError("target-held", holder="x")
    target, one = Target(errors=[held, held, held]), delivered((1, 1))
    intake = Intake(target, time.monotonic)
    intake.put(one)
    assert worked(intake, 20) == 0
    assert intake.state(one.unit) == Outcome(STATED)
    target.errors = [held] * 100
    intake = Intake(target, time.monotonic)
    intake.put(one)
    assert worked(intake, 0.5) == 1


def test_what_comes_after_the_end_is_not_taken() -> None:
    intake, one = Intake(Target(), Time()), delivered((1, 1))
    intake.put(one)
    assert worked(intake) == 0
    with pytest.raises(Halted):
        intake.put(one)


def test_a_run_that_is_still_under_way_at_the_end_is_asked_to_stop() -> None:
    clock = Time()
    intake = Intake(Target(), clock)
    assert intake.why_stop() == ""
    intake.end(5)
    assert intake.why_stop() == ""
    clock.at += 5
    assert intake.why_stop() == "interrupted"


def test_a_request_at_which_the_program_breaks_is_not_the_end_of_the_others() -> None:
    said: list[str] = []
    bad, good = delivered((1, 1)), [delivered((2, 1)), delivered((3, 1))]
    target = Target(poison=bad.unit)
    intake = Intake(target, Time(), said.append)
    for one in (good[0], bad, good[1]):
        intake.put(one)
    assert worked(intake) == 0
    assert intake.state(bad.unit) == Outcome(FAILED)
    assert target.taken == [(good[0].unit,), (good[1].unit,)]
    (line,) = said
    assert "ZeroDivisionError" in line
    assert "DOE" not in line


def test_units_that_together_fail_again_and_again_do_not_hold_up_the_others_for_good() -> None:
    # Ten refusals with 500 in a row end a run, for it may be the server: here it is the studies.
    bad, good = [delivered((one, 1)) for one in range(12)], delivered((20, 1))
    units = {one.unit for one in bad}
    runs: list[int] = []

    def run(deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        runs.append(len(deliveries))
        if sum(one.unit in units for one in deliveries) >= 10:
            raise RetriableError("target-busy", url="http://x", status=500, wait="")
        states = ((one.unit, FAILED if one.unit in units else STATED) for one in deliveries)
        return {unit: Outcome(state) for unit, state in states}

    ticks = count(0.0, 40.0)  # a long time from one look to the next
    intake = Intake(run, lambda: next(ticks), sleep=lambda _: None)
    for one in (*bad, good):
        intake.put(one)
    with working(intake):
        until(lambda: not intake.waiting or len(runs) > 20)
    assert intake.state(good.unit) == Outcome(STATED)
    assert runs == [13, 13, 13, 6, 7]
    assert intake.error is None


def test_a_unit_that_comes_again_while_it_is_under_way_is_done_again() -> None:
    target, one = Target(), delivered((1, 1))
    intake = Intake(target, Time())

    def run(deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        if not target.taken:
            assert intake.state(one.unit) == Outcome(UNDER_WAY)
            intake.put(one)
        return target(deliveries)

    intake.run = run
    intake.put(one)
    assert worked(intake) == 0
    assert target.taken == [(one.unit,), (one.unit,)]


@contextmanager
def working(intake: Intake) -> Iterator[None]:
    """Let a worker work, to its end."""
    worker = threading.Thread(target=intake.work)
    worker.start()
    yield
    intake.end(20)
    worker.join(20)
    assert not worker.is_alive()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    over = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < over
        time.sleep(0.005)
