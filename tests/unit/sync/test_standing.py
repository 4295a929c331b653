"""What the target holds already is not written; what others change meanwhile is planned anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deidfhir.errors import RetriableError
from deidfhir.sync.journal import Journal
from deidfhir.sync.target import Found
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import Memory, job, many, numbers, unit

Json = dict[str, Any]


def test_a_study_that_the_target_holds_as_stated_is_acknowledged_without_a_write(
    journal: Journal,
) -> None:
    target = many(journal)
    target.held = {"s1": Found(unit(1).study, unit(1).provenances)}
    report = job(target).run([unit(1), unit(2)])
    assert numbers(target) == [[2]]
    assert report.resources == {"unchanged": 2, "created": 2}
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.sha) == ("sent", unit(1).sha)


def test_only_the_resources_that_differ_are_written(journal: Journal) -> None:
    target = many(journal)
    other = replace(unit(1), study={**unit(1).study, "description": "other"})
    target.held = {"s1": Found(other.study, unit(1).provenances)}
    report = job(target).run([unit(1)])
    assert [one for one in target.log if one.startswith("write")] == ["write s1"]
    assert report.resources == {"unchanged": 1, "created": 1}


def test_a_device_that_the_target_holds_is_not_written_and_known_from_then_on(
    journal: Journal,
) -> None:
    device = {"resourceType": "Device", "id": "d1"}
    target = many(journal)
    target.read = lambda *_: {"d1": device}  # type: ignore[method-assign]
    report = job(target).run([unit(1, "d1")])
    assert [one for one in target.log if one.startswith("write")] == ["write s1 p1"]
    assert report.resources == {"unchanged": 1, "created": 2}
    again = many(journal)
    job(again).run([unit(2, "d1")])
    assert again.log == ["find s2", "write s2 p2"]


class Changing(Memory):
    """A target that someone else changes so many times before a write."""

    times = 0

    def write(self, *arguments: Any, **options: Any) -> list[str]:  # noqa: ANN401
        """Refuse what was planned on what stood there before."""
        if self.times:
            self.times -= 1
            self.log.append("stale")
            raise Rejected(409, "HAPI-0550: HAPI-0989")
        return Memory.write(self, *arguments, **options)


def test_a_study_that_others_change_meanwhile_is_looked_up_and_planned_anew(
    journal: Journal,
) -> None:
    target = Changing(journal, batch=8)
    target.times = 3
    report = job(target).run([unit(1)])
    assert target.log == [*["find s1", "stale"] * 3, "find s1", "write s1 p1"]
    assert (report.resources, report.exit_code) == ({"created": 2}, 0)


def test_a_study_that_others_keep_changing_stays_due(journal: Journal) -> None:
    target = Changing(journal, batch=8)
    target.times = 4
    report = job(target).run([unit(1)])
    assert [one.code for one in report.troubles] == ["server-failed"]
    assert report.exit_code == 5
    row = journal.study("s1")
    assert row is not None
    assert (row.state, journal.dead.every()) == ("planned", [])


def test_what_was_written_before_an_error_is_acknowledged_with_several_connections(
    journal: Journal,
) -> None:
    down = RetriableError("target-down", url="u", what="w")
    target = Memory(journal, batch=6, connections=4, failures={"s2": down})
    report = job(target).run([unit(number) for number in range(1, 7)])
    assert report.error is down
    states = [journal.study(f"s{number}") for number in range(1, 7)]
    found = [None if one is None else one.state for one in states]
    assert found[:2] == ["sent", "planned"]
    assert "sent" in found[2:]
    again = Memory(journal, batch=6, connections=4)
    assert job(again).run([unit(number) for number in range(1, 7)]).exit_code == 0
    assert sorted(numbers(again)) == [
        [number + 1] for number, state in enumerate(found) if state != "sent"
    ]


def test_a_run_over_several_connections_reports_in_the_order_of_the_studies(
    journal: Journal,
) -> None:
    failures: dict[str, Exception] = {
        f"s{number}": Rejected(422, "invariant") for number in (7, 2, 5)
    }
    target = Memory(journal, batch=8, connections=4, failures=failures)
    report = job(target).run([unit(number) for number in range(1, 9)])
    assert [one.name for one in report.troubles] == ["path 2", "path 5", "path 7"]
    assert report.resources == {"created": 10, "failed": 6}
