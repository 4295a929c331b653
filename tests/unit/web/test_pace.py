"""How many requests at a time, and the pause that all keep."""

from __future__ import annotations

from threading import Condition, Thread

import pytest

from deidfhir.errors import RetriableError
from deidfhir.web.crowding import WINDOW
from deidfhir.web.pace import Pace
from tests.unit.web.test_transport import Time

BUSY = RetriableError("target-busy", url="u", status=503, wait="")
FAR = 1e9


def paced(most: int = 8) -> tuple[Pace, Time]:
    """Return a pace and the time that it looks at."""
    time = Time()
    return Pace(most, time.clock()), time


def answers(pace: Pace, number: int) -> None:
    """Let so many writes go well."""
    for _ in range(number):
        pace.went_well(is_write=True)


def test_connections_are_added_one_by_one_as_long_as_none_is_slower_for_it() -> None:
    pace, _ = paced(4)
    seen = [pace.limit]
    for _ in range(4):
        answers(pace, WINDOW)
        seen.append(pace.limit)
    assert seen == [2, 3, 4, 4, 4]


def test_a_connection_that_makes_all_others_slower_is_taken_away_and_two_stay() -> None:
    pace, _ = paced()
    seen = []
    for _ in range(12):
        for _ in range(WINDOW):
            # A target that does two things at a time, and lets the others wait.
            pace.went_well(seconds=max(1.0, pace.limit / 2), size=100, is_write=True)
        seen.append(pace.limit)
    assert max(seen) == 3
    assert seen.count(2) > seen.count(3)
    assert min(seen) == 2


def test_what_is_read_says_nothing_of_how_many_may_write() -> None:
    pace, _ = paced()
    for _ in range(10 * WINDOW):
        pace.went_well()
    assert pace.limit == 2


def test_a_failure_halves_the_connections_and_never_takes_the_last_one() -> None:
    pace, time = paced()
    answers(pace, 6 * WINDOW)
    assert pace.limit == 8
    seen = []
    for _ in range(5):
        time.moment += 1
        pace.failed(time.moment, 0.0, BUSY)
        seen.append(pace.limit)
    assert seen == [4, 2, 1, 1, 1]


def test_requests_that_fail_together_count_once() -> None:
    pace, time = paced()
    answers(pace, 6 * WINDOW)
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


def test_what_is_read_waits_for_no_write_as_long_as_there_is_a_connection() -> None:
    pace = Pace(3)
    with pace.turn(), pace.turn():
        assert pace.limit == 2
        with pace.turn(is_write=False):
            pass


def test_what_is_read_goes_before_the_writes_that_wait() -> None:
    pace = Pace(1)
    log: list[str] = []

    def enter(name: str, *, is_write: bool) -> None:
        with pace.turn(is_write=is_write):
            log.append(name)

    with pace.turn():
        write = Thread(target=enter, args=("write",), kwargs={"is_write": True})
        write.start()
        write.join(0.05)
        read = Thread(target=enter, args=("read",), kwargs={"is_write": False})
        read.start()
        read.join(0.05)
        assert not log
    read.join(5)
    write.join(5)
    assert log == ["read", "write"]


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


def test_after_failures_there_are_two_again_though_the_target_is_slower_than_it_was() -> None:
    pace, time = paced()
    for _ in range(WINDOW):
        pace.went_well(1.0, 100, is_write=True)
    pace.failed(time.moment, 0.0, BUSY)
    time.moment += 1
    pace.failed(time.moment, 0.0, BUSY)
    assert pace.limit == 1
    for _ in range(WINDOW):
        pace.went_well(3.0, 100, is_write=True)
    assert pace.limit == 2


def test_what_no_longer_waits_to_read_holds_up_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    pace, _ = paced(1)
    with monkeypatch.context() as patched:
        patched.setattr(Condition, "wait_for", interrupted)
        with pytest.raises(KeyboardInterrupt), pace.turn(is_write=False):
            raise AssertionError
    entered = Thread(target=lambda: pace.turn().__enter__(), daemon=True)
    entered.start()
    entered.join(5)
    assert not entered.is_alive()


def interrupted(*_: object) -> bool:
    """Wait until someone ends the program."""
    raise KeyboardInterrupt
