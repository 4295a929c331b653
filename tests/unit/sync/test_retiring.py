"""What is sent for a study that vanished, and what the journal keeps of it (D20)."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.sync.journal import DELIVERED, Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.retiring import deletion, retirement
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Vanished
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import Memory, Statements, job, unit

Json = dict[str, Any]
FOLDERS = Listing("source", frozenset(), ("/archive",), complete=True)
AT = "2020-01-01T00:00:00+00:00"
ROW = StudyRow("sent", "x", {"p1": AT}, {"source": {"1.1.1": "c"}})
STUDY: Json = {
    "resourceType": "ImagingStudy",
    "id": "s1",
    "meta": {"versionId": "4"},
    "subject": {"reference": "Patient/patient-s1"},
}
OURS: Json = {"resourceType": "Provenance", "id": "p1"}
THEIRS: Json = {"resourceType": "Provenance", "id": "x1"}
FOUND = Found(STUDY, (OURS, THEIRS))
GONE = Vanished("s1")


class Withdrawing(Statements):
    """A site that withdraws what it stated of a study that vanished."""

    outlive = False


class Strangers(Statements):
    """No ImagingStudy is ours."""

    def key_of(self, study: Json) -> str:
        """Know none."""
        del study
        return ""


def test_a_retired_study_keeps_its_statements_and_what_it_stood_for() -> None:
    plan = retirement(GONE, FOUND, ROW, Statements())
    assert plan.puts == [{**STUDY, "status": "unknown"}]
    assert (plan.deletes, plan.versions) == ([], {"ImagingStudy/s1": "4"})
    assert plan.row == StudyRow("retired", "", {"p1": AT}, {DELIVERED: {"1.1.1": ""}})
    assert plan.before == StudyRow("leaving", "", {"p1": AT}, ROW.sources)
    assert (plan.fate, plan.name) == ("retired", "ImagingStudy/s1")


def test_where_statements_are_withdrawn_provenance_and_patient_go() -> None:
    plan = retirement(GONE, FOUND, ROW, Withdrawing())
    assert plan.deletes == ["Provenance/p1", "Patient/patient-s1"]
    assert plan.row.statements == {}


def test_a_study_is_deleted_after_what_refers_to_it_and_before_what_it_refers_to() -> None:
    plan = deletion(GONE, FOUND, ROW, Statements())
    assert plan.deletes == ["Provenance/p1", "ImagingStudy/s1", "Patient/patient-s1"]
    assert (plan.puts, plan.row) == ([], StudyRow("deleted", "", {}, {}))
    assert plan.instead == retirement(GONE, FOUND, ROW, Statements())


@pytest.mark.parametrize("plan_of", [retirement, deletion])
def test_of_a_study_of_someone_else_only_our_statements_may_go(plan_of: Any) -> None:  # noqa: ANN401
    plan = plan_of(GONE, FOUND, ROW, Strangers())
    assert plan.puts == []
    assert set(plan.deletes) <= {"Provenance/p1"}


@pytest.mark.parametrize("plan_of", [retirement, deletion])
def test_a_study_of_which_nothing_is_there_is_done_and_not_told(plan_of: Any) -> None:  # noqa: ANN401
    plan = plan_of(GONE, Found(None, (THEIRS,)), ROW, Statements())
    assert (plan.is_done, plan.row.state, plan.fate) == (True, "deleted", "")


def swept(journal: Journal, target: Memory, **more: Any) -> tuple[list[str], Any]:  # noqa: ANN401
    """Run a job that lists one study of two, and return what was written, and the report."""
    job(Memory(journal), listing=FOLDERS).run([unit(1), unit(2)])
    report = job(target, listing=FOLDERS, **more).run([unit(2)])
    return [one for one in target.log if one.startswith("write")], report


def test_a_run_writes_what_vanished_down_before_it_sends_it(journal: Journal) -> None:
    target = Memory(journal, held={"s1": FOUND})
    writes, report = swept(journal, target)
    (before,) = target.rows
    assert before is not None
    assert (writes, before.state) == (["write s1"], "leaving")
    row = journal.study("s1")
    assert row is not None
    assert (row.state, report.vanished, report.fates) == ("retired", 1, {"retired": 1})
    assert (report.exit_code, [one.code for one in report.troubles]) == (3, ["study-vanished"])
    again = Memory(journal, held={"s1": FOUND})
    job(again, listing=FOLDERS).run([unit(2)])
    assert again.log == []


def test_a_study_that_comes_back_is_revived_with_its_instant(journal: Journal) -> None:
    swept(journal, Memory(journal, held={"s1": FOUND}))
    row = journal.study("s1")
    assert row is not None
    recorded = row.statements
    report = job(Memory(journal, held={"s1": FOUND}), listing=FOLDERS).run([unit(1), unit(2)])
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.statements, report.fates) == ("sent", recorded, {"revived": 1})


@pytest.mark.parametrize("status", [404, 410])
def test_what_someone_else_deleted_meanwhile_is_done(journal: Journal, status: int) -> None:
    class Racing(Memory):
        def write(self, puts: Any, deletes: Any = (), versions: Any = None) -> list[str]:  # noqa: ANN401
            del puts, deletes, versions
            self.log.append("write")
            self.held.clear()
            raise Rejected(status, "deleted")  # all of it, a moment ago

    writes, report = swept(journal, Racing(journal, held={"s1": FOUND}), fate="delete")
    row = journal.study("s1")
    assert row is not None
    assert (writes, row.state, report.fates) == (["write"], "deleted", {"deleted": 1})
    assert [one.code for one in report.troubles] == ["study-vanished"]


@pytest.mark.parametrize("status", [404, 410, 412])
def test_what_is_refused_as_gone_and_is_there_all_the_same_is_retired(
    journal: Journal, status: int
) -> None:
    class Strange(Memory):
        def write(self, puts: Any, deletes: Any = (), versions: Any = None) -> list[str]:  # noqa: ANN401
            del versions
            self.log.append("write" + " -" * len(list(deletes)))
            if deletes:
                raise Rejected(status, "HAPI-0989" if status == 412 else "")
            return ["updated" for _ in puts]

    writes, report = swept(journal, Strange(journal, held={"s1": FOUND}), fate="delete")
    assert writes == ["write - - -"] * 4 + ["write"]
    assert report.fates == {"retired": 1}


def test_what_may_not_be_deleted_is_retired_and_told(journal: Journal) -> None:
    class Refusing(Memory):
        def write(self, puts: Any, deletes: Any = (), versions: Any = None) -> list[str]:  # noqa: ANN401
            del versions
            self.log.append("write" + " -" * len(list(deletes)))
            if deletes:
                raise Rejected(405, "not-supported")
            return ["updated" for _ in puts]

    writes, report = swept(journal, Refusing(journal, held={"s1": FOUND}), fate="delete")
    row = journal.study("s1")
    assert row is not None
    assert (writes, row.state) == (["write - - -", "write"], "retired")
    assert report.fates == {"retired": 1}
    assert [one.code for one in report.troubles] == ["deletion-refused", "study-vanished"]


def test_a_study_that_the_server_fails_on_stays_due_to_go(journal: Journal) -> None:
    target = Memory(journal, held={"s1": FOUND}, failures={"s1": Rejected(500, "exception")})
    _, report = swept(journal, target)
    row = journal.study("s1")
    assert row is not None
    assert (row.state, report.fates) == ("leaving", {})
    later = job(Memory(journal, held={"s1": FOUND}), listing=FOLDERS).run([unit(2)])
    assert later.fates == {"retired": 1}


def test_a_dry_run_foretells_what_vanishes(journal: Journal) -> None:
    target = Memory(journal, held={"s1": FOUND})
    writes, report = swept(journal, target, dry_run=True)
    assert (writes, report.vanished, report.fates) == ([], 1, {"retired": 1})
    row = journal.study("s1")
    assert row is not None
    assert row.state == "sent"


def test_a_deleted_statement_that_is_made_again_starts_anew(journal: Journal) -> None:
    journal.put_studies({"s1": StudyRow("leaving", "", {"p1": AT}, ROW.sources)})
    job(Memory(journal), listing=FOLDERS).run([unit(1)])
    row = journal.study("s1")
    assert row is not None
    assert row.statements["p1"] != AT
