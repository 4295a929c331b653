"""Several studies in one transaction, and the one that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.errors import RetriableError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Refused
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import job, many, numbers, unit

AT = "2023-11-14T22:13:20+00:00"
REFUSED = Refused("s1", "1.1", {"1.1.1": "c"}, decisive=True, name="path 1")


def test_studies_are_sent_together_in_order_and_each_is_acknowledged(journal: Journal) -> None:
    target = many(journal)
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
    report = job(many(journal, s3=down)).run([unit(1), unit(2), unit(3)])
    assert report.error is down
    rows = [journal.study(f"s{number}") for number in (1, 2, 3)]
    assert [row and (row.state, row.statements) for row in rows] == [
        ("planned", {f"p{number}": AT}) for number in (1, 2, 3)
    ]


def test_the_study_that_is_refused_is_found_by_halving_and_the_others_go_through(
    journal: Journal,
) -> None:
    target = many(journal, p6=Rejected(422, "invariant"))
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
        DeadLetter("s6", unit(6).sha, 422, "invariant", AT, dropped=False)
    ]


def test_a_transaction_that_is_too_large_is_halved_until_it_fits(journal: Journal) -> None:
    target = many(journal)
    original = target.write
    seen: list[int] = []

    def small(puts: list[dict[str, object]], *more: Any) -> list[str]:  # noqa: ANN401
        seen.append(len(puts))
        if len(puts) > 4:
            raise Rejected(413, "too-long")
        return original(puts, *more)

    target.write = small  # type: ignore[method-assign, assignment]
    report = job(target).run([unit(number) for number in range(1, 9)])
    assert (report.resources, report.troubles) == ({"created": 16}, [])
    assert seen == [16, 8, 4, 4, 8, 4, 4]


def test_devices_on_which_the_server_breaks_hold_up_no_study_without_them(
    journal: Journal,
) -> None:
    job(many(journal)).run([unit(1)])
    broken = {f"d{number}": Rejected(500, "HAPI-0389") for number in (1, 2, 3)}
    target = many(journal, **broken)
    target.held = {"s1": Found(unit(1).study, unit(1).provenances)}
    report = job(target).run([unit(2, "d1"), unit(3, "d2"), unit(4, "d3"), unit(5), REFUSED])
    assert (report.error, report.exit_code) == (None, 5)
    assert target.log[-1] == "write s5 p5 s1 Provenance/p1"
    assert report.resources["deleted"] == 1
    assert journal.dead.every() == []


def test_a_server_that_breaks_on_devices_and_studies_ends_the_run(journal: Journal) -> None:
    numbered = range(1, 11)
    broken: dict[str, Exception] = {f"d{one}": Rejected(500, "HAPI-0389") for one in range(1, 10)}
    broken["s10"] = Rejected(500, "HAPI-0389")
    work = [unit(one, f"d{one}") for one in numbered if one < 10] + [unit(10)]
    assert isinstance(job(many(journal, **broken)).run(work).error, RetriableError)
    del broken["s10"]
    broken["d10"] = Rejected(500, "")
    only = job(many(journal, **broken)).run([unit(one, f"d{one}") for one in numbered])
    assert isinstance(only.error, RetriableError)


def test_a_few_studies_on_which_the_server_breaks_hold_up_no_other(journal: Journal) -> None:
    broken: dict[str, Exception] = {f"s{one}": Rejected(500, "HAPI-0389") for one in (1, 2, 3)}
    report = job(many(journal, **broken)).run([unit(number) for number in range(1, 41)])
    assert (report.error, report.exit_code) == (None, 5)
    assert report.resources == {"failed": 6, "created": 74}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((409, code) for code in ("HAPI-0550: HAPI-0515", "HAPI-0515", "HAPI-0550", "")),
        (412, "HAPI-0966"),
    ],
)
def test_a_deletion_that_a_server_refuses_is_marked_instead(
    journal: Journal, status: int, code: str
) -> None:
    job(many(journal)).run([unit(1)])
    target = many(journal)
    target.held = {"s1": Found(unit(1).study, unit(1).provenances)}
    original = target.write

    def keeping(puts: list[dict[str, object]], deletes: Any = (), *_: Any) -> list[str]:  # noqa: ANN401
        if deletes:
            raise Rejected(status, code)
        return original(puts)

    target.write = keeping  # type: ignore[method-assign, assignment]
    report = job(target).run([REFUSED])
    assert [one.code for one in report.troubles] == ["claim-withdrawn", "withdrawal-marked"]
    assert [one for one in target.log if one.startswith("write")] == ["write s1 p1"]


def test_a_conflict_whose_write_went_through_all_the_same_is_found_by_looking(
    journal: Journal,
) -> None:
    job(many(journal)).run([unit(1)])
    target = many(journal)
    target.held = {"s1": Found(unit(1).study, unit(1).provenances)}

    def late(puts: list[dict[str, object]], *_: Any) -> list[str]:  # noqa: ANN401
        target.log.append("write")
        target.held = {"s1": Found(puts[0], ())}
        raise Rejected(409, "HAPI-0550: HAPI-0825")

    target.write = late  # type: ignore[method-assign, assignment]
    report = job(target).run([REFUSED])
    assert [one.code for one in report.troubles] == ["claim-withdrawn"]
    # Its statements may stand by someone else's ImagingStudy: they are asked for by id.
    assert target.log == ["find s1", "write", "read Provenance p1", "find s1"]
    row = journal.study("s1")
    assert row is not None
    assert row.state == "refused"


def test_a_run_that_is_asked_to_stop_ends_after_the_transaction_under_way(
    journal: Journal,
) -> None:
    target = many(journal)
    target.batch = 24
    report = job(target, stop=lambda: "interrupted" * (len(numbers(target)) == 2)).run(
        [unit(number) for number in range(1, 25)]
    )
    assert report.error is not None
    assert (report.error.code, report.error.exit_code) == ("interrupted", 5)
    assert (report.exit_code, report.resources) == (5, {"created": 32})
    assert [len(one) for one in numbers(target)] == [8, 8]
    states = [journal.study(f"s{number}") for number in range(1, 25)]
    assert [one.state if one else None for one in states] == ["sent"] * 16 + [None] * 8
    again = many(journal)
    assert job(again).run([unit(number) for number in range(1, 25)]).exit_code == 0
    assert numbers(again) == [list(range(17, 25))]


def test_a_run_can_be_stopped_while_it_has_nothing_to_send(journal: Journal) -> None:
    work = [unit(number) for number in range(1, 9)]
    job(many(journal)).run(work)
    told: list[int] = []
    report = job(
        many(journal), progress=told.append, stop=lambda: "interrupted" * (len(told) == 3)
    ).run(work)
    assert report.error is not None
    assert (report.error.code, told) == ("interrupted", [1, 2, 3])


def test_a_server_that_fails_on_everything_ends_the_run(journal: Journal) -> None:
    every = {f"s{number}": Rejected(500, "HAPI-0389") for number in range(1, 33)}
    target = many(journal, **every)
    report = job(target).run([unit(number) for number in range(1, 33)])
    assert isinstance(report.error, RetriableError)
    assert report.error.code == "target-busy"
    assert len([one for one in numbers(target) if len(one) == 1]) == 10


def test_a_device_that_the_target_has_lost_is_sent_again_with_the_next_study(
    journal: Journal,
) -> None:
    job(many(journal)).run([unit(1, "d1")])
    target = many(journal)
    original = target.write
    there: set[str] = set()

    def write(puts: list[dict[str, str]], *more: Any) -> list[str]:  # noqa: ANN401
        ids = {one["id"] for one in puts}
        there.update(ids & {"d1"})
        if "s2" in ids and "d1" not in there:
            raise Rejected(400, "HAPI-1094")
        return original(puts, *more)

    target.write = write  # type: ignore[method-assign, assignment]
    report = job(target).run([unit(2, "d1"), unit(3)])
    assert (report.troubles, report.exit_code) == ([], 0)
    assert journal.dead.every() == []
    assert [one for one in target.log if one.startswith("write")] == [
        "write d1",
        "write s2 p2 s3 p3",
    ]


def test_a_group_that_met_another_write_is_looked_up_before_it_is_sent_again(
    journal: Journal,
) -> None:
    target = many(journal)
    original = target.write
    answers = [Rejected(409, "HAPI-0825")]

    def write(puts: list[dict[str, str]], *more: Any) -> list[str]:  # noqa: ANN401
        if answers:
            target.held = {
                f"s{one}": Found(unit(one).study, unit(one).provenances) for one in (1, 2)
            }
            raise answers.pop()
        return original(puts, *more)

    target.write = write  # type: ignore[method-assign, assignment]
    report = job(target).run([unit(1), unit(2)])
    assert numbers(target) == []
    assert (report.resources, report.exit_code) == ({"unchanged": 4}, 0)


def test_what_is_withdrawn_is_told_once_it_is(journal: Journal) -> None:
    job(many(journal)).run([unit(1)])
    held = {"s1": Found(unit(1).study, unit(1).provenances)}
    down = many(journal, s1=RetriableError("target-down", url="u", what="w"))
    down.held = held
    report = job(down).run([REFUSED])
    assert (report.withdrawn, report.troubles) == (0, [])
    up = many(journal)
    up.held = held
    report = job(up).run([REFUSED])
    assert (report.withdrawn, [one.code for one in report.troubles]) == (1, ["claim-withdrawn"])


def test_nothing_that_studies_share_is_sent_once_the_run_is_asked_to_stop(
    journal: Journal,
) -> None:
    target = many(journal)
    report = job(target, stop=lambda: "interrupted").run([unit(1, "d1")])
    assert report.error is not None
    assert report.error.code == "interrupted"
    assert not [one for one in target.log if one.startswith("write")]
