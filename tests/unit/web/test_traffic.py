"""What the requests of a run cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidfhir.web.traffic import Traffic


@pytest.mark.parametrize(
    ("percent", "seconds"), [(1, 1.0), (50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)]
)
def test_a_quantile_is_the_nearest_rank(percent: int, seconds: float) -> None:
    traffic = Traffic()
    for number in range(100, 0, -1):
        traffic.answered(200, 0, float(number))
    assert traffic.quantile(percent) == seconds


def test_without_answers_there_is_no_quantile() -> None:
    assert Traffic(unanswered=3).quantile(50) is None


@given(st.lists(st.floats(0, 100), min_size=1), st.integers(1, 100))
def test_a_quantile_is_a_time_that_was_measured_and_bounds_its_share(
    measured: list[float], percent: int
) -> None:
    traffic = Traffic()
    for seconds in measured:
        traffic.answered(200, 0, seconds)
    found = traffic.quantile(percent)
    assert found in measured
    assert sum(one <= found for one in measured) * 100 >= percent * len(measured)


def test_every_attempt_is_counted_answered_or_not() -> None:
    traffic = Traffic(unanswered=2)
    traffic.answered(200, 10, 0.5)
    traffic.answered(503, 5, 0.5)
    traffic.answered(200, 1, 0.5)
    assert traffic.requests == 5
    assert (traffic.statuses, traffic.received) == ({200: 2, 503: 1}, 16)
