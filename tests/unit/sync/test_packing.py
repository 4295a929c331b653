"""As many studies in one transaction as its limits allow, in their order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidfhir.sync.journal import StudyRow
from deidfhir.sync.packing import packed
from deidfhir.sync.plan import Plan
from deidfhir.sync.target import Limits
from tests.unit.sync.memory import unit

ROW = StudyRow("sent", "", {}, {})


def plan(number: int, puts: int = 1, stale: int = 0, text: str = "") -> Plan:
    """Return a plan with some resources to put and to delete."""
    resource = {"resourceType": "Provenance", "id": "p", "text": text}
    return Plan(unit(number), [resource] * puts, [resource] * stale, ROW, ROW, replaces=False)


def size(one: Plan) -> int:
    """Return the bytes of what is put."""
    return sum(len(json.dumps(each, ensure_ascii=False).encode()) for each in one.puts)


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        (Limits(studies=2, entries=100, size=10_000), [2, 2, 1]),
        (Limits(studies=100, entries=7, size=10_000), [3, 2]),
        (Limits(studies=100, entries=1, size=10_000), [1, 1, 1, 1, 1]),
        (Limits(studies=100, entries=100, size=4 * size(plan(0))), [2, 2, 1]),
        (Limits(studies=100, entries=100, size=1), [1, 1, 1, 1, 1]),
        (Limits(studies=100, entries=100, size=10_000), [5]),
    ],
)
def test_each_of_the_limits_ends_a_group(limits: Limits, sizes: list[int]) -> None:
    plans = [plan(number, puts=2, stale=0) for number in range(5)]
    assert [len(one) for one in packed(plans, limits)] == sizes


@pytest.mark.parametrize(
    ("studies", "sizes"), [(20, [20]), (40, [25, 15]), (100, [50, 50]), (500, [100] * 5)]
)
def test_what_one_transaction_would_take_is_shared_by_two_connections_if_it_is_much(
    studies: int, sizes: list[int]
) -> None:
    limits = Limits(studies=100, entries=1_000, size=1_000_000)
    plans = [plan(number) for number in range(studies)]
    assert [len(one) for one in packed(plans, limits)] == sizes


def test_what_is_deleted_counts_as_an_entry() -> None:
    plans = [plan(1, puts=1, stale=2), plan(2)]
    assert len(list(packed(plans, Limits(9, 3, 10_000)))) == 2
    assert len(list(packed(plans, Limits(9, 4, 10_000)))) == 1


def test_the_size_is_in_bytes() -> None:
    plans = [plan(1, text="\u00e9" * 100), plan(2)]
    assert len(list(packed(plans, Limits(9, 9, size(plans[0]) + size(plans[1]) - 1)))) == 2
    assert len(list(packed(plans, Limits(9, 9, size(plans[0]) + size(plans[1]))))) == 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30),
    st.builds(Limits, st.integers(1, 9), st.integers(1, 20), st.integers(1, 2000)),
)
def test_nothing_is_lost_or_moved_and_no_group_is_above_the_limits(
    shapes: list[tuple[int, int]], limits: Limits
) -> None:
    plans = [plan(number, *shape) for number, shape in enumerate(shapes)]
    groups = list(packed(plans, limits))
    assert [one for group in groups for one in group] == plans
    for group in groups:
        assert group
        if len(group) > 1:
            assert len(group) <= limits.studies
            assert sum(len(one.puts) + len(one.deletes) for one in group) <= limits.entries
            assert sum(size(one) for one in group) <= limits.size
