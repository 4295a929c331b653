"""Studies are looked up a batch ahead, where the target lets that be done beside the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from deidfhir.sync.crew import Crew
from deidfhir.sync.journal import Journal
from deidfhir.sync.lookahead import batches, looked_up
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Unit
from tests.unit.sync.memory import Memory, job, numbers, unit


@pytest.mark.parametrize(("most", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (9, [5])])
def test_a_batch_has_so_many_studies(most: int, sizes: list[int]) -> None:
    work = [unit(number) for number in range(1, 6)]
    found = list(batches(work, most))
    assert [len(one) for one in found] == sizes
    assert [one for batch in found for one in batch] == work


def test_the_first_batch_is_small_so_that_there_is_something_to_send_soon() -> None:
    work = [unit(number) for number in range(1, 301)]
    assert [len(one) for one in batches(work, 200)] == [50, 200, 50]


def test_a_batch_ends_with_the_study_that_makes_it_large() -> None:
    large = replace(unit(2), instances={f"1.2.{number}": "c" for number in range(20_000)})
    assert [len(one) for one in batches([unit(1), large, unit(3), unit(4)], 100)] == [2, 2]


@pytest.mark.parametrize("ahead", [False, True])
def test_the_next_batch_is_looked_up_before_the_one_before_it_is_handed_out(
    journal: Journal, *, ahead: bool
) -> None:
    target = Memory(journal, batch=1, looks_ahead=ahead)
    log: list[str] = []

    def finding(batch: list[Unit]) -> Callable[[], dict[str, Found]]:
        log.append(f"begin {batch[0].id}")
        return dict

    for batch, _ in looked_up([unit(1), unit(2), unit(3)], target, Crew(1), finding):
        log.append(f"out {batch[0].id}")
    one_ahead = ["begin s1", "begin s2", "out s1", "begin s3", "out s2", "out s3"]
    in_turn = ["begin s1", "out s1", "begin s2", "out s2", "begin s3", "out s3"]
    assert log == (one_ahead if ahead else in_turn)


def test_a_run_that_looks_ahead_sends_the_same(journal: Journal) -> None:
    target = Memory(journal, batch=2, connections=3, looks_ahead=True)
    report = job(target).run([unit(number) for number in range(1, 10)])
    assert sorted(numbers(target)) == [[number] for number in range(1, 10)]
    assert report.resources == {"created": 18}
