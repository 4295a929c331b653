"""Whether there may be more requests at a time, told from the time that answers take."""

from __future__ import annotations

from deidfhir.web.crowding import WINDOW, Crowding


def window(crowding: Crowding, seconds: float, size: int = 100) -> int:
    """Return what a whole window of equal answers says."""
    *silent, step = [crowding.step(seconds, size) for _ in range(WINDOW)]
    assert not any(silent)
    return step


def test_answers_that_are_no_slower_let_one_more_go() -> None:
    crowding = Crowding()
    assert [window(crowding, seconds) for seconds in (1.0, 1.1, 0.5)] == [1, 1, 1]


def test_answers_that_are_somewhat_slower_change_nothing() -> None:
    crowding = Crowding()
    window(crowding, 1.0)
    assert window(crowding, 1.3) == 0


def test_after_one_too_many_the_next_is_tried_later_and_later() -> None:
    crowding = Crowding()
    window(crowding, 1.0)
    pauses = []
    for _ in range(3):
        assert window(crowding, 1.5) == -1
        waited = 1
        while window(crowding, 1.0) == 0:
            waited += 1
        pauses.append(waited)
    assert pauses == [2, 4, 8]


def test_a_large_request_may_take_longer_than_a_small_one() -> None:
    crowding = Crowding()
    window(crowding, 1.0, 100)
    assert window(crowding, 10.0, 1000) == 1


def test_a_target_that_fills_and_is_slower_for_good_is_not_taken_for_crowded() -> None:
    crowding, seconds = Crowding(), 1.0
    for _ in range(200):
        seconds *= 1.004
        assert window(crowding, seconds) == 1


def test_what_was_begun_before_a_failure_does_not_count() -> None:
    crowding = Crowding()
    window(crowding, 1.0)
    for _ in range(WINDOW - 1):
        crowding.step(100.0, 100)
    crowding.begin()
    assert window(crowding, 1.0) == 1
