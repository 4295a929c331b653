"""The order in which journal and target are told, and what a run that ends early leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.journal import Journal
from deidfhir.sync.target import NO_VERSIONS, Found
from deidfhir.sync.unit import Refused, Unit
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import Memory, job, unit

Json = dict[str, Any]
REFUSED = Refused("s9", "1.9", {"1.9.1": "c"}, decisive=True, name="path 9")
DOWN = RetriableError("target-down", url="u", what="w")


def test_what_is_to_be_sent_is_in_the_journal_before_it_is_sent(journal: Journal) -> None:
    target = Memory(journal)
    job(target).run([unit(1)])
    (before,) = target.rows
    assert before is not None
    assert (before.state, before.statements) == ("planned", {"p1": "2023-11-14T22:13:20+00:00"})
    after = journal.study("s1")
    assert after is not None
    assert (after.state, after.sha, after.statements) == ("sent", unit(1).sha, before.statements)


def test_shared_devices_are_written_first_and_once(journal: Journal) -> None:
    target = Memory(journal)
    report = job(target).run([unit(1, "d1", "d2"), unit(2, "d2")])
    assert target.log == [
        *("find s1 s2", "read Device d1 d2"),
        *("write d1 d2", "write s1 p1", "write s2 p2"),
    ]
    assert report.resources["created"] == 6
    again = Memory(journal)
    job(again).run([unit(3, "d1")])
    assert again.log == ["find s3", "write s3 p3"]


def test_a_study_that_is_settled_is_not_even_looked_up(journal: Journal) -> None:
    job(Memory(journal)).run([unit(1), unit(2)])
    target = Memory(journal)
    report = job(target).run([unit(1), unit(2)])
    assert target.log == []
    assert report.resources == {"unchanged": 4}


def test_studies_are_looked_up_a_batch_at_a_time(journal: Journal) -> None:
    target = Memory(journal)
    job(target).run([unit(number) for number in range(1, 6)])
    assert [one for one in target.log if one.startswith("find")] == [
        *("find s1 s2", "find s3 s4", "find s5"),
    ]


def test_an_error_ends_the_run_and_what_was_acknowledged_before_stays(journal: Journal) -> None:
    target = Memory(journal, failures={"s2": DOWN})
    report = job(target).run([unit(1), unit(2), unit(3)])
    assert (report.error, report.exit_code) == (DOWN, 5)
    rows = [journal.study(one) for one in ("s1", "s2", "s3")]
    assert [None if one is None else one.state for one in rows] == ["sent", "planned", None]
    again = Memory(journal)
    job(again).run([unit(1), unit(2), unit(3)])
    assert again.log[0] == "find s2 s3"


def test_a_folders_writes_are_acknowledged_only_once_they_are_flushed(journal: Journal) -> None:
    error = FatalError("folder-unwritable", path="x")
    target = Memory(journal, at_once=False)
    target.flush = lambda: (_ for _ in ()).throw(error)  # type: ignore[method-assign]
    report = job(target).run([unit(1, "d1")])
    row = journal.study("s1")
    assert row is not None
    assert (row.state, journal.device("d1")) == ("planned", None)
    assert (report.error, report.resources["created"]) == (error, 0)


def test_a_rejected_study_holds_up_no_other(journal: Journal) -> None:
    target = Memory(journal, failures={"s1": Rejected(422, "invariant")})
    report = job(target).run([unit(1), unit(2)])
    assert report.resources == {"failed": 2, "created": 2}
    assert [(one.code, one.name, one.detail) for one in report.troubles] == [
        ("rejected", "path 1", "HTTP 422 invariant")
    ]
    assert report.exit_code == 3


def test_a_rejected_device_keeps_its_study_from_being_sent(journal: Journal) -> None:
    target = Memory(journal, failures={"d1": Rejected(422, "invalid")})
    report = job(target).run([unit(1, "d1"), unit(2)])
    assert report.resources == {"failed": 3, "created": 2}
    assert "write s1 p1" not in target.log
    assert journal.device("d1") is None


def test_a_dry_run_writes_nothing_anywhere(journal: Journal) -> None:
    target = Memory(journal)
    report = job(target, dry_run=True).run([unit(1, "d1"), REFUSED])
    assert report.resources == {"created": 3}
    assert not [one for one in target.log if one.startswith(("write", "flush"))]
    assert journal.study("s1") is None
    assert journal.study("s9") is None
    assert journal.device("d1") is None


def test_a_refused_study_is_noted_and_not_looked_up_again(journal: Journal) -> None:
    assert job(Memory(journal)).run([REFUSED]).exit_code == 0
    again = Memory(journal)
    job(again).run([REFUSED])
    assert again.log == []


def test_deletions_that_are_refused_are_tried_again_as_marks(journal: Journal) -> None:
    stale = {"resourceType": "Provenance", "id": "pold"}
    other = {"resourceType": "ImagingStudy", "id": "s1", "description": "other"}
    held = {"s1": Found(other, (stale,))}
    calls = []

    class Refusing(Memory):
        def write(
            self,
            puts: Iterable[Json],
            deletes: Iterable[str] = (),
            versions: Mapping[str, str] = NO_VERSIONS,
        ) -> list[str]:
            del versions
            calls.append((list(puts), list(deletes)))
            if calls[-1][1]:
                raise Rejected(405, "not-supported")
            return ["updated"] * len(calls[-1][0])

    report = job(Refusing(journal, held=held)).run([unit(1)])
    assert [(len(puts), deletes) for puts, deletes in calls] == [
        *((2, ["Provenance/pold"]), (3, [])),
    ]
    assert calls[1][0][-1] == {**stale, "withdrawn": True}
    assert (report.resources, report.exit_code) == ({"updated": 3}, 3)
    assert [one.code for one in report.troubles] == ["withdrawal-marked"]


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (Rejected(500, "exception"), 5, "server-failed"),
        (Rejected(412, ""), 5, "server-failed"),
        (Rejected(412, "conflict"), 5, "server-failed"),
        (Rejected(413, "too-long"), 3, "rejected"),
    ],
    ids=["broke", "another version", "conflict of versions", "too large"],
)
def test_a_server_that_speaks_of_something_else_is_not_taken_for_one_that_refuses_deletion(
    journal: Journal, error: Rejected, code: int, told: str
) -> None:
    stale = {"resourceType": "Provenance", "id": "pold"}
    held = {"s1": Found({"resourceType": "ImagingStudy", "id": "s1"}, (stale,))}
    target = Memory(journal, held=held, failures={"s1": error})
    report = job(target).run([unit(1)])
    writes = {one for one in target.log if one.startswith("write")}
    assert writes == {"write s1 p1 Provenance/pold"}
    assert (report.exit_code, [one.code for one in report.troubles]) == (code, [told])


def test_progress_counts_every_study_once(journal: Journal) -> None:
    job(Memory(journal)).run([unit(1)])
    told: list[int] = []
    work: list[Unit | Refused] = [unit(1), unit(2), REFUSED, unit(3)]
    job(Memory(journal), progress=told.append).run(work)
    assert sorted(told) == [1, 2, 3, 4]
