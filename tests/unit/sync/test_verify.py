"""What verify says of studies that have vanished, and what a repair makes due."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.sync.journal import DELIVERED, Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.retiring import Fate
from deidfhir.sync.sweep import sweep_of
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Unit
from deidfhir.sync.verify import VerifyJob, VerifyReport
from tests.unit.sync.memory import Memory, NoTraces, Statements, unit

Json = dict[str, Any]
FOLDERS = Listing("source", frozenset(), ("/archive",), complete=True)
STUDY: Json = {"resourceType": "ImagingStudy", "id": "s1"}
RETIRED: Json = {**STUDY, "status": "unknown"}
OURS: Json = {"resourceType": "Provenance", "id": "p1"}
DELIVERED_ONE = {DELIVERED: {"1.1.1": ""}}
CLAIMED = {"source": {"1.1.1": "c"}}


def compared(
    journal: Journal,
    found: Found,
    *work: Unit,
    listing: Listing = FOLDERS,
    fate: Fate = "retire",
) -> VerifyReport:
    """Return what differs where the target holds one study."""
    target = Memory(journal, held={"s1": found})
    sweep = sweep_of(listing, journal, fate)
    report = VerifyJob(target, Statements(), NoTraces(), journal, sweep).run(work)
    assert not [one for one in target.log if one.startswith(("write", "flush"))]
    return report


@pytest.mark.parametrize(
    ("state", "sources", "found", "fate", "differences"),
    [
        ("sent", CLAIMED, Found(STUDY, (OURS,)), "retire", ["ImagingStudy/s1 vanished"]),
        ("sent", CLAIMED, Found(RETIRED, (OURS,)), "retire", []),
        ("sent", CLAIMED, Found(STUDY, ()), "delete", ["ImagingStudy/s1 vanished"]),
        ("sent", CLAIMED, Found(STUDY, (OURS,)), "keep", []),
        ("retired", DELIVERED_ONE, Found(RETIRED, (OURS,)), "retire", []),
        ("retired", DELIVERED_ONE, Found(RETIRED, (OURS,)), "delete", []),
        ("retired", DELIVERED_ONE, Found(STUDY, (OURS,)), "retire", ["ImagingStudy/s1 drifted"]),
        ("retired", DELIVERED_ONE, Found(RETIRED, ()), "retire", ["Provenance/p1 missing"]),
        (
            *("retired", DELIVERED_ONE, Found(None, ()), "retire"),
            ["Provenance/p1 missing", "ImagingStudy/s1 missing"],
        ),
        ("deleted", {}, Found(None, ()), "retire", []),
        ("deleted", {}, Found(STUDY, ()), "retire", ["ImagingStudy/s1 drifted"]),
        ("leaving", DELIVERED_ONE, Found(STUDY, (OURS,)), "retire", ["ImagingStudy/s1 drifted"]),
    ],
)
def test_a_study_that_vanished_is_held_against_what_should_be_left_of_it(
    journal: Journal,
    *,
    state: str,
    sources: dict[str, dict[str, str]],
    found: Found,
    fate: Fate,
    differences: list[str],
) -> None:
    statements: dict[str, str | None] = {} if state == "deleted" else {"p1": None}
    journal.put_studies({"s1": StudyRow(state, "x", statements, sources)})
    report = compared(journal, found, fate=fate)
    told = [f"{name} {word}" for name, _, word in report.differences]
    assert sorted(told) == sorted(differences)
    assert report.studies == ({"s1"} if differences else set())
    assert report.exit_code == (3 if differences else 0)


@pytest.mark.parametrize(
    "listing",
    [
        Listing("source", frozenset(), ("/archive/a.dcm",)),
        Listing("source", frozenset({"broken"}), ("/archive",), complete=True),
    ],
    ids=["a single file", "a file that was newly skipped"],
)
def test_without_a_complete_listing_nothing_is_said_of_what_was_not_seen(
    journal: Journal, listing: Listing
) -> None:
    journal.put_studies({"s1": StudyRow("sent", "x", {"p1": None}, CLAIMED)})
    assert compared(journal, Found(STUDY, (OURS,)), listing=listing).differences == []


def test_a_study_that_is_listed_again_is_compared_as_it_is_stated(journal: Journal) -> None:
    journal.put_studies({"s1": StudyRow("retired", "", {"p1": None}, DELIVERED_ONE)})
    report = compared(journal, Found(RETIRED, (OURS,)), unit(1))
    assert {(name, path, state) for name, path, state in report.differences} == {
        ("ImagingStudy/s1", "path 1", "drifted"),
        ("Provenance/p1", "path 1", "drifted"),
    }


def test_what_is_made_due_is_that_alone_and_tombstones_are_done_over(journal: Journal) -> None:
    rows = {one: StudyRow(one, "x", {"p": None}, CLAIMED) for one in ("sent", "refused", "retired")}
    journal.put_studies({**rows, "other": rows["sent"]})
    journal.put_devices({"d1": "x", "d2": "x"})
    journal.make_due(rows, ["d1"])
    found = {one: journal.study(one) for one in (*rows, "other")}
    assert {one: row and (row.state, row.sha) for one, row in found.items()} == {
        "sent": ("planned", ""),
        "refused": ("planned", ""),
        "retired": ("leaving", ""),
        "other": ("sent", "x"),
    }
    assert (journal.device("d1"), journal.device("d2")) == (None, "x")
