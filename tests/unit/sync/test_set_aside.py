"""What is set aside: not sent again until it changes; and what never is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deidfhir.errors import RetriableError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import Listing
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Refused
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import job, many, numbers, unit

AT = "2023-11-14T22:13:20+00:00"
REFUSED = Refused("s1", "1.1", {"1.1.1": "c"}, decisive=True, name="path 1")


def test_what_is_set_aside_is_not_sent_again_but_told(journal: Journal) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1), unit(2)])
    again = many(journal)
    report = job(again).run([unit(1), unit(2)])
    assert again.log == []
    assert [(one.code, one.name, one.detail) for one in report.troubles] == [
        ("set-aside", "path 1", "HTTP 422 invariant, s1")
    ]
    assert report.exit_code == 3


def test_a_dry_run_does_not_send_what_is_set_aside_either(journal: Journal) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    report = job(many(journal), dry_run=True).run([unit(1)])
    assert not report.resources
    assert [one.code for one in report.troubles] == ["set-aside"]


def test_a_study_that_is_set_aside_is_due_again_when_it_changes(journal: Journal) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    changed = replace(unit(1), study={**unit(1).study, "description": "x"})
    again = many(journal)
    report = job(again).run([changed])
    assert (numbers(again), report.troubles) == ([[1]], [])
    assert journal.dead.every() == []
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.sha) == ("sent", changed.sha)


def test_a_study_refused_once_more_keeps_the_instant_of_its_first_refusal(
    journal: Journal,
) -> None:
    first = DeadLetter("s1", "old", 400, "", "2020-01-01T00:00:00+00:00", dropped=True)
    journal.dead.put(first)
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    since = "2020-01-01T00:00:00+00:00"
    assert journal.dead.every() == [
        DeadLetter("s1", unit(1).sha, 422, "invariant", since, dropped=False)
    ]


def test_a_study_that_is_made_due_again_is_sent(journal: Journal) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    journal.dead.take_away(["s1"])
    again = many(journal)
    assert job(again).run([unit(1)]).exit_code == 0
    assert numbers(again) == [[1]]


def test_a_study_that_is_given_up_is_neither_sent_nor_told_of(journal: Journal) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    journal.dead.drop(["s1"])
    again = many(journal)
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
    report = job(many(journal, s1=error)).run([unit(1), unit(2)])
    assert [one.code for one in report.troubles] == ["server-failed"]
    assert report.exit_code == 5
    assert journal.dead.every() == []
    again = many(journal)
    job(again).run([unit(1), unit(2)])
    assert numbers(again) == [[1]]


def test_a_withdrawal_that_is_refused_is_never_set_aside(journal: Journal) -> None:
    job(many(journal)).run([unit(1)])
    held = {"s1": Found(unit(1).study, unit(1).provenances)}
    for _ in range(2):
        target = many(journal, s1=Rejected(422, "invariant"), p1=Rejected(422, "invariant"))
        target.held = held
        report = job(target).run([REFUSED])
        assert [one.code for one in report.troubles] == ["rejected"]
        assert numbers(target)
    assert journal.dead.every() == []


def test_a_letter_goes_with_its_study_once_that_is_refused_and_nothing_stands_of_it(
    journal: Journal,
) -> None:
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1)])
    report = job(many(journal)).run([REFUSED])
    assert (report.troubles, journal.dead.every()) == ([], [])


def test_a_path_that_is_no_utf_8_can_be_set_aside(journal: Journal) -> None:
    odd = replace(unit(1), name="path \udcff")
    report = job(many(journal, s1=Rejected(422, "invariant"))).run([odd])
    assert report.error is None
    assert [one.id for one in journal.dead.every()] == ["s1"]


def test_a_study_whose_devices_are_refused_stays_due_and_holds_up_no_other(
    journal: Journal,
) -> None:
    target = many(journal, d1=Rejected(422, "invariant"))
    work = [unit(1, "d1"), unit(2, "d2"), unit(3, "d1"), unit(4, "d1", "d3"), unit(5, "d3")]
    report = job(target).run(work)
    assert [one for one in target.log if one.startswith("write")] == [
        "write d1",
        "write d2",
        "write d3",
        "write s2 p2 s5 p5",
    ]
    assert report.resources == {"failed": 3 + 3 + 4, "created": 6}
    assert [one.code for one in report.troubles] == ["rejected"] * 3
    assert journal.dead.every() == []
    again = many(journal)
    assert job(again).run(work).exit_code == 0
    assert numbers(again) == [[], [1, 3, 4]]


def test_what_replaces_something_that_the_target_holds_is_tried_in_every_run(
    journal: Journal,
) -> None:
    job(many(journal)).run([unit(1)])
    changed = replace(unit(1), study={**unit(1).study, "description": "x"})
    for _ in range(2):
        target = many(journal, s1=Rejected(422, "invariant"))
        target.held = {"s1": Found(unit(1).study, unit(1).provenances)}
        report = job(target).run([changed])
        assert [one.code for one in report.troubles] == ["rejected"]
        assert numbers(target) == [[1]]
    assert journal.dead.every() == []


def test_what_another_source_lists_of_a_study_that_is_set_aside_is_known(
    journal: Journal,
) -> None:
    whole = replace(unit(1), instances={"1.1.1": "c", "1.1.2": "c"})
    one = Listing("one", frozenset(), ("/one",))
    other = Listing("other", frozenset(), ("/other",))
    refusing = many(journal, s1=Rejected(422, "invariant"))
    job(refusing, listing=one).run([whole])
    assert job(many(journal), listing=other).run([whole]).troubles[0].code == "set-aside"
    row = journal.study("s1")
    assert row is not None
    assert {"one", "other"} <= set(row.sources)
    changed = replace(unit(1), study={**unit(1).study, "description": "x"})
    report = job(many(journal), listing=one).run([changed])
    assert (report.troubles, report.resources["created"]) == ([], 2)
    row = journal.study("s1")
    assert row is not None
    assert "other" in row.sources


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_place_that_takes_no_transactions_at_all_ends_the_run_and_sets_nothing_aside(
    journal: Journal, status: int
) -> None:
    every: dict[str, Exception] = {f"s{one}": Rejected(status, "") for one in range(1, 9)}
    report = job(many(journal, **every)).run([unit(number) for number in range(1, 9)])
    assert report.error is not None
    assert (report.error.code, report.exit_code) == ("no-transactions", 1)
    assert journal.dead.every() == []


def test_studies_that_are_refused_in_that_way_among_others_are_set_aside(journal: Journal) -> None:
    some: dict[str, Exception] = {f"s{one}": Rejected(404, "") for one in (2, 3, 4, 5)}
    report = job(many(journal, **some)).run([unit(number) for number in range(1, 7)])
    assert report.error is None
    assert [one.id for one in journal.dead.every()] == ["s2", "s3", "s4", "s5"]


def test_studies_on_which_the_server_breaks_hold_up_no_others_for_long(journal: Journal) -> None:
    failures = {f"s{number}": Rejected(500, "HAPI-0389") for number in range(1, 13)}
    work = [unit(number) for number in range(1, 31)]
    first = job(many(journal, **failures)).run(work)
    assert isinstance(first.error, RetriableError)
    target = many(journal, **failures)
    job(target).run(work)
    rows = [journal.study(f"s{number}") for number in range(13, 31)]
    assert {row.state if row else "" for row in rows} == {"sent"}
    assert job(many(journal)).run(work).exit_code == 0
    assert journal.broken.every() == []


def test_a_study_on_which_the_server_broke_and_that_it_then_refuses_is_no_longer_last(
    journal: Journal,
) -> None:
    job(many(journal, s1=Rejected(500, ""))).run([unit(1), unit(2)])
    assert journal.broken.every() == ["s1"]
    job(many(journal, s1=Rejected(422, "invariant"))).run([unit(1), unit(2)])
    assert not journal.broken.every()


def test_of_studies_on_which_the_server_breaks_those_come_first_that_waited_longest(
    journal: Journal,
) -> None:
    failures = {f"s{number}": Rejected(500, "HAPI-0389") for number in range(1, 13)}
    work = [unit(number) for number in range(1, 13)]
    job(many(journal, **failures)).run(work)
    assert set(journal.broken.every()) == {f"s{number}" for number in range(1, 11)}
    del failures["s1"]
    target = many(journal, **failures)
    job(target).run(work)
    assert numbers(target)[0] == [11, 12, 1, 2, 3, 4, 5, 6]
    assert "s1" not in journal.broken.every()
