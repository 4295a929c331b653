"""How many requests at a time, and the pause that all keep."""

from __future__ import annotations

from threading import Thread

import pytest

from deidfhir.errors import RetriableError
from deidfhir.sync.pace import Pace
from tests.unit.sync.test_transport import Time

BUSY = RetriableError("target-busy", url="u", status=503, wait="")
FAR = 1e9


def paced(most: int = 8) -> tuple[Pace, Time]:
    """Return a pace and the time that it looks at."""
    time = Time()
    return Pace(most, time.clock()), time


def answers(pace: Pace, number: int) -> None:
    """Let so many requests go well."""
    for _ in range(number):
        pace.went_well()


def test_connections_are_added_one_after_as_many_answers_as_there_are() -> None:
    pace, _ = paced(4)
    seen = [pace.limit]
    for _ in range(12):
        pace.went_well()
        seen.append(pace.limit)
    assert seen == [2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]


def test_a_failure_halves_the_connections_and_never_takes_the_last_one() -> None:
    pace, time = paced()
    answers(pace, 2 + 3 + 4 + 5 + 6 + 7)
    assert pace.limit == 8
    seen = []
    for _ in range(5):
        time.moment += 1
        pace.failed(time.moment, 0.0, BUSY)
        seen.append(pace.limit)
    assert seen == [4, 2, 1, 1, 1]


def test_requests_that_fail_together_count_once() -> None:
    pace, time = paced()
    answers(pace, 2 + 3 + 4 + 5 + 6 + 7)
    begun = time.moment
    for _ in range(5):
        time.moment += 0.01
        pace.failed(begun, 0.0, BUSY)
    assert pace.limit == 4
    pace.wait(FAR)
    assert time.pauses == [pytest.approx(0.46)]


def test_the_pause_of_one_is_the_pause_of_all_and_doubles_until_something_goes_well() -> None:
    pace, time = paced()
    for _ in range(3):
        pace.failed(time.moment, 0.0, BUSY)
        pace.wait(FAR)
    pace.went_well()
    pace.failed(time.moment, 0.0, BUSY)
    pace.wait(FAR)
    assert time.pauses == [0.5, 1.0, 2.0, 0.5]


def test_no_pause_is_longer_than_a_minute_but_where_the_target_asks_for_it() -> None:
    pace, time = paced()
    for _ in range(9):
        pace.failed(time.moment, 0.0, BUSY)
        pace.wait(FAR)
    assert time.pauses[-2:] == [60.0, 60.0]
    pace.failed(time.moment, 90.0, BUSY)
    pace.wait(FAR)
    assert time.pauses[-1] == 90.0


def test_whoever_cannot_wait_so_long_is_told_why() -> None:
    pace, time = paced()
    pace.failed(time.moment, 30.0, BUSY)
    with pytest.raises(RetriableError) as caught:
        pace.wait(time.moment + 25)
    assert (caught.value, time.pauses) == (BUSY, [])


def test_a_failure_that_may_be_the_requests_own_halves_but_lets_nobody_pause() -> None:
    pace, time = paced()
    answers(pace, 2)
    pace.stumbled(time.moment)
    pace.wait(FAR)
    assert (pace.limit, time.pauses) == (1, [])


def test_a_target_that_is_down_is_given_up_by_all_once_one_has_given_it_up() -> None:
    pace, time = paced()
    for _ in range(8):
        pace.failed(time.moment, 0.0, BUSY)
    with pytest.raises(RetriableError):
        pace.wait(time.moment + 0.1)
    with pytest.raises(RetriableError) as caught, pace.turn():
        raise AssertionError
    assert caught.value is BUSY
    time.moment += 5
    with pace.turn():
        pace.went_well()


def test_after_few_failures_the_next_request_is_tried_as_ever() -> None:
    pace, time = paced()
    for _ in range(7):
        pace.failed(time.moment, 0.0, BUSY)
    with pytest.raises(RetriableError):
        pace.wait(time.moment + 0.1)
    with pace.turn():
        pace.went_well()


def test_no_more_requests_are_under_way_than_the_limit_says() -> None:
    pace = Pace(2)
    entered: list[int] = []

    def enter() -> None:
        with pace.turn():
            entered.append(1)

    with pace.turn(), pace.turn():
        third = Thread(target=enter)
        third.start()
        third.join(0.05)
        assert not entered
    third.join(5)
    assert entered == [1]


def test_reading_that_goes_well_ends_no_pause_of_writes_that_fail() -> None:
    pace, time = paced()
    for _ in range(3):
        pace.failed(time.moment, 0.0, BUSY, is_write=True)
        pace.wait(FAR)
        pace.went_well()
    assert time.pauses == [0.5, 1.0, 2.0]
    pace.went_well(is_write=True)
    pace.failed(time.moment, 0.0, BUSY)
    pace.wait(FAR)
    assert time.pauses[-1] == 0.5
