"""Work beside the run: begun at once with several, when it is asked for with one."""

from __future__ import annotations

from threading import Barrier, current_thread, main_thread

import pytest

from deidfhir.sync.crew import Crew


def test_one_does_its_work_when_it_is_asked_for_and_where_it_is_asked_for() -> None:
    done: list[bool] = []
    result = Crew(1).begin(lambda: done.append(current_thread() is main_thread()))
    assert done == []
    result()
    assert done == [True]


def test_several_work_at_the_same_time() -> None:
    meeting = Barrier(3)
    results = [Crew(3).begin(lambda: meeting.wait(5)) for _ in range(3)]
    assert sorted(result() for result in results) == [0, 1, 2]


@pytest.mark.parametrize("size", [1, 2])
def test_what_work_raises_is_raised_to_who_waits_for_it(size: int) -> None:
    def fail() -> None:
        raise KeyError("x")

    result = Crew(size).begin(fail)
    with pytest.raises(KeyError):
        result()
