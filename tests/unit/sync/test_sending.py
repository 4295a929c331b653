"""Several studies in one transaction, the one that is refused, and where it is set aside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deidfhir.errors import RetriableError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.sync.outcome import Rejected
from deidfhir.sync.target import Found, Limits
from deidfhir.sync.unit import Refused
from tests.unit.sync.memory import Memory, job, unit

MANY = Limits(studies=8, entries=500, size=1_000_000)
AT = "2023-11-14T22:13:20+00:00"
REFUSED = Refused("s1", "1.1", {"1.1.1": "c"}, decisive=True, name="path 1")


def memory(journal: Journal, **failures: Exception) -> Memory:
    """Return a target that takes eight studies a transaction, and fails on some resources."""
    return Memory(journal, batch=8, limits=MANY, failures=failures)


def numbers(target: Memory) -> list[list[int]]:
    """Return the numbers of the studies in each write."""
    writes = [one.split()[1:] for one in target.log if one.startswith("write ")]
    return [[int(one[1:]) for one in ids if one.startswith("s")] for ids in writes]


def test_studies_are_sent_together_in_order_and_each_is_acknowledged(journal: Journal) -> None:
    target = memory(journal)
    report = job(target).run([unit(number) for number in range(1, 12)])
    assert numbers(target) == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11]]
    assert report.resources == {"created": 22}
    for number in range(1, 12):
        row = journal.study(f"s{number}")
        assert row is not None
        assert (row.state, row.sha) == ("sent", unit(number).sha)


def test_every_study_of_a_transaction_is_in_the_journal_before_it_is_sent(
    journal: Journal,
) -> None:
    down = RetriableError("target-down", url="u", what="w")
    report = job(memory(journal, s3=down)).run([unit(1), unit(2), unit(3)])
    assert report.error is down
    rows = [journal.study(f"s{number}") for number in (1, 2, 3)]
    assert [row and (row.state, row.statements) for row in rows] == [
        ("planned", {f"p{number}": AT}) for number in (1, 2, 3)
    ]


def test_the_study_that_is_refused_is_found_by_halving_and_the_others_go_through(
    journal: Journal,
) -> None:
    target = memory(journal, p6=Rejected(422, "invariant"))
    report = job(target).run([unit(number) for number in range(1, 9)])
    assert numbers(target) == [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [5, 6],
        [5],
        [6],
        [7, 8],
    ]
    assert report.resources == {"created": 14, "failed": 2}
    assert [(one.code, one.name, one.detail) for one in report.troubles] == [
        ("rejected", "path 6", "HTTP 422 invariant")
    ]
    assert journal.dead.every() == [
        DeadLetter("s6", unit(6).sha, "path 6", 422, "invariant", AT, dropped=False)
    ]


def test_a_transaction_that_is_too_large_is_halved_until_it_fits(journal: Journal) -> None:
    target = memory(journal)
    original = target.write
    seen: list[int] = []

    def small(puts: list[dict[str, object]], deletes: tuple[str, ...] = ()) -> list[str]:
        seen.append(len(puts))
        if len(puts) > 4:
            raise Rejected(413, "too-long")
        return original(puts, deletes)

    target.write = small  # type: ignore[method-assign, assignment]
    report = job(target).run([unit(number) for number in range(1, 9)])
    assert (report.resources, report.troubles) == ({"created": 16}, [])
    assert seen == [16, 8, 4, 4, 8, 4, 4]


def test_what_is_set_aside_is_not_sent_again_but_told(journal: Journal) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1), unit(2)])
    again = memory(journal)
    report = job(again).run([unit(1), unit(2)])
    assert again.log == []
    assert [(one.code, one.name, one.detail) for one in report.troubles] == [
        ("set-aside", "path 1", "HTTP 422 invariant")
    ]
    assert report.exit_code == 3


def test_a_dry_run_does_not_send_what_is_set_aside_either(journal: Journal) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    report = job(memory(journal), dry_run=True).run([unit(1)])
    assert not report.resources
    assert [one.code for one in report.troubles] == ["set-aside"]


def test_a_study_that_is_set_aside_is_due_again_when_it_changes(journal: Journal) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    changed = replace(unit(1), study={**unit(1).study, "description": "x"})
    again = memory(journal)
    report = job(again).run([changed])
    assert (numbers(again), report.troubles) == ([[1]], [])
    assert journal.dead.every() == []
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.sha) == ("sent", changed.sha)


def test_a_study_refused_once_more_keeps_the_instant_of_its_first_refusal(
    journal: Journal,
) -> None:
    first = DeadLetter("s1", "old", "old path", 400, "", "2020-01-01T00:00:00+00:00", dropped=True)
    journal.dead.put(first)
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    since = "2020-01-01T00:00:00+00:00"
    assert journal.dead.every() == [
        DeadLetter("s1", unit(1).sha, "path 1", 422, "invariant", since, dropped=False)
    ]


def test_a_study_that_is_made_due_again_is_sent(journal: Journal) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    journal.dead.take_away(["s1"])
    again = memory(journal)
    assert job(again).run([unit(1)]).exit_code == 0
    assert numbers(again) == [[1]]


def test_a_study_that_is_given_up_is_neither_sent_nor_told_of(journal: Journal) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    journal.dead.drop(["s1"])
    again = memory(journal)
    report = job(again).run([unit(1)])
    assert (again.log, report.troubles, report.exit_code) == ([], [], 0)
    assert [one.dropped for one in journal.dead.every()] == [True]


@pytest.mark.parametrize(
    "error",
    [Rejected(500, "HAPI-0389"), Rejected(409, "HAPI-0825"), Rejected(409, "HAPI-0989")],
    ids=["broken", "conflict", "stale"],
)
def test_what_may_go_through_another_time_is_never_set_aside(
    journal: Journal, error: Rejected
) -> None:
    report = job(memory(journal, s1=error)).run([unit(1), unit(2)])
    assert [one.code for one in report.troubles] == ["server-failed"]
    assert report.exit_code == 5
    assert journal.dead.every() == []
    again = memory(journal)
    job(again).run([unit(1), unit(2)])
    assert numbers(again) == [[1]]


def test_a_withdrawal_that_is_refused_is_never_set_aside(journal: Journal) -> None:
    job(memory(journal)).run([unit(1)])
    held = {"s1": Found(unit(1).study, unit(1).provenances)}
    for _ in range(2):
        target = memory(journal, s1=Rejected(422, "invariant"), p1=Rejected(422, "invariant"))
        target.held = held
        report = job(target).run([REFUSED])
        assert [one.code for one in report.troubles] == ["claim-withdrawn", "rejected"]
        assert numbers(target)
    assert journal.dead.every() == []


def test_a_letter_goes_with_its_study_once_that_is_refused_and_nothing_stands_of_it(
    journal: Journal,
) -> None:
    job(memory(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    report = job(memory(journal)).run([REFUSED])
    assert (report.troubles, journal.dead.every()) == ([], [])


def test_a_path_that_is_no_utf_8_can_be_set_aside(journal: Journal) -> None:
    odd = replace(unit(1), name="path \udcff")
    report = job(memory(journal, s1=Rejected(422, "invariant"))).run([odd])
    assert report.error is None
    assert [one.name for one in journal.dead.every()] == ["path \\udcff"]


def test_a_study_whose_devices_are_refused_is_set_aside_and_holds_up_no_other(
    journal: Journal,
) -> None:
    target = memory(journal, d1=Rejected(422, "invariant"))
    report = job(target).run([unit(1, "d1"), unit(2, "d2")])
    assert [one for one in target.log if one.startswith("write")] == [
        "write d1",
        "write d2",
        "write s2 p2",
    ]
    assert report.resources == {"failed": 3, "created": 3}
    assert [one.id for one in journal.dead.every()] == ["s1"]


def test_a_run_that_is_asked_to_stop_ends_after_the_transaction_under_way(
    journal: Journal,
) -> None:
    target = memory(journal)
    target.batch = 24
    report = job(target, stop=lambda: len(numbers(target)) == 2).run(
        [unit(number) for number in range(1, 25)]
    )
    assert report.error is not None
    assert (report.error.code, report.error.exit_code) == ("interrupted", 5)
    assert (report.exit_code, report.resources) == (5, {"created": 32})
    assert [len(one) for one in numbers(target)] == [8, 8]
    states = [journal.study(f"s{number}") for number in range(1, 25)]
    assert [one.state if one else None for one in states] == ["sent"] * 16 + [None] * 8
    again = memory(journal)
    assert job(again).run([unit(number) for number in range(1, 25)]).exit_code == 0
    assert numbers(again) == [list(range(17, 25))]


def test_a_run_can_be_stopped_while_it_has_nothing_to_send(journal: Journal) -> None:
    work = [unit(number) for number in range(1, 9)]
    job(memory(journal)).run(work)
    told: list[int] = []
    report = job(memory(journal), progress=told.append, stop=lambda: len(told) == 3).run(work)
    assert report.error is not None
    assert (report.error.code, told) == ("interrupted", [1, 2, 3])


def test_a_server_that_fails_on_everything_ends_the_run(journal: Journal) -> None:
    every = {f"s{number}": Rejected(500, "HAPI-0389") for number in range(1, 9)}
    target = memory(journal, **every)
    report = job(target).run([unit(number) for number in range(1, 9)])
    assert isinstance(report.error, RetriableError)
    assert report.error.code == "target-busy"
    assert [len(one) for one in numbers(target)] == [8, 4, 2, 1, 1, 2, 1]
