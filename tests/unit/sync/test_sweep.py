"""What counts as vanished, and what must be confirmed first (D19, D20)."""

from __future__ import annotations

from typing import Any

import pytest

from deidfhir.errors import FatalError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import DELIVERED, Journal, Part, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.report import SyncReport
from deidfhir.sync.sweep import Sweep
from deidfhir.sync.unit import Listed
from tests.unit.sync.memory import unit

HERE, THERE, INSIDE = "here", "there", "inside"
FOLDERS = Listing(HERE, frozenset(), ("/archive",), complete=True)


def known(journal: Journal, count: int, *sources: str, first: int = 1, state: str = "sent") -> None:
    """Note some studies as delivered by some sources."""
    rows = {
        f"s{number}": StudyRow(state, "x", {}, {one: {f"u{number}": "c"} for one in sources})
        for number in range(first, first + count)
    }
    journal.put_studies(rows)


def swept(
    journal: Journal,
    seen: int = 0,
    listing: Listing = FOLDERS,
    *,
    dry_run: bool = False,
    **more: Any,  # noqa: ANN401 - of Sweep
) -> tuple[list[str], SyncReport]:
    """Return what vanishes when the first studies are seen, and the report."""
    options: dict[str, Any] = {"covered": frozenset(), "is_whole": True, **more}
    sweep = Sweep(journal, listing, **options)
    list(sweep.marking(unit(number) for number in range(1, seen + 1)))
    report = SyncReport()
    return [one.id for one in sweep.vanished(report, dry_run=dry_run)], report


def test_what_was_delivered_and_is_not_seen_has_vanished(journal: Journal) -> None:
    known(journal, 3, HERE)
    gone, report = swept(journal, seen=2)
    assert (gone, report.vanished, report.error, report.troubles) == (["s3"], 1, None, [])


def test_a_study_that_is_only_listed_is_seen_and_no_work(journal: Journal) -> None:
    known(journal, 1, HERE)
    sweep = Sweep(journal, FOLDERS, frozenset(), is_whole=True)
    assert list(sweep.marking([Listed("s1")])) == []
    assert list(sweep.vanished(SyncReport(), dry_run=False)) == []


@pytest.mark.parametrize(
    ("count", "gone", "confirmed", "vanishes"),
    [
        (12, 10, 0, True),
        (12, 11, 0, False),
        (12, 11, 10, False),
        (12, 11, 11, True),
        (12, 11, 500, True),
        (600, 12, 0, True),
        (600, 13, 0, False),
        (549, 11, 0, False),
        (550, 11, 0, True),
    ],
)
def test_more_than_ten_and_more_than_two_percent_must_be_confirmed(
    journal: Journal, *, count: int, gone: int, confirmed: int, vanishes: bool
) -> None:
    known(journal, count, HERE)
    found, report = swept(journal, seen=count - gone, confirmed=confirmed)
    assert len(found) == (gone if vanishes else 0)
    assert report.vanished == len(found)
    if vanishes:
        assert report.error is None
    else:
        assert isinstance(report.error, FatalError)
        assert f"{gone} of the {count} studies" in str(report.error)
        assert f"--confirm-vanished {gone}`" in str(report.error)


@pytest.mark.parametrize(("confirmed", "vanishes"), [(0, False), (3, False), (2, True)])
def test_where_a_place_is_empty_only_the_very_number_confirms(
    journal: Journal, *, confirmed: int, vanishes: bool
) -> None:
    known(journal, 2, HERE)
    hollow = Listing(HERE, frozenset(), ("/archive",), complete=True, hollow=True)
    gone, report = swept(journal, listing=hollow, confirmed=confirmed)
    assert (bool(gone), report.error is None) == (vanishes, vanishes)


def test_an_empty_place_from_which_nothing_is_missing_is_no_error(journal: Journal) -> None:
    hollow = Listing(HERE, frozenset(), ("/archive",), complete=True, hollow=True)
    assert swept(journal, listing=hollow)[1].error is None


def test_single_files_make_nothing_vanish(journal: Journal) -> None:
    known(journal, 2, HERE)
    gone, report = swept(journal, listing=Listing(HERE, frozenset(), ("/archive/a.dcm",)))
    assert (gone, report.vanished, report.troubles) == ([], 0, [])


def test_a_listing_that_newly_skipped_files_makes_nothing_vanish_and_says_so(
    journal: Journal,
) -> None:
    known(journal, 3, HERE)
    gone, report = swept(journal, seen=1, is_whole=False)
    assert gone == []
    assert [(one.code, one.name, one.detail) for one in report.troubles] == [
        ("listing-incomplete", "/archive", "2 studies")
    ]
    assert swept(journal, seen=3, is_whole=False)[1].troubles == []


def test_what_another_source_lists_only_loses_this_ones_claim(journal: Journal) -> None:
    known(journal, 1, HERE, THERE)
    foretold, report = swept(journal, dry_run=True)
    assert (foretold, report.vanished) == ([], 0)
    row = journal.study("s1")
    assert row is not None
    assert set(row.sources) == {HERE, THERE}
    assert swept(journal)[0] == []
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.sources) == ("sent", {THERE: {"u1": "c"}})


def test_with_the_claim_goes_what_the_source_had_stated(journal: Journal) -> None:
    parts = {one: Part("x", {"u1": "file"}) for one in (HERE, THERE)}
    sources = {one: {"u1": "c"} for one in (HERE, THERE)}
    journal.put_studies({"s1": StudyRow("sent", "x", {}, sources, parts)})
    swept(journal)
    row = journal.study("s1")
    assert row is not None
    assert row.parts == {THERE: parts[THERE]}


def test_what_only_this_source_had_of_it_is_due_to_go(journal: Journal) -> None:
    sources = {HERE: {"u1": "c", "u2": "c"}, THERE: {"u1": "c"}}
    journal.put_studies({"s1": StudyRow("sent", "x", {}, sources)})
    swept(journal)
    row = journal.study("s1")
    assert row is not None
    assert row.state == "planned"
    assert row.sources == {THERE: {"u1": "c"}, DELIVERED: {"u1": "", "u2": ""}}


def test_claims_are_kept_while_it_is_in_doubt_whether_the_source_is_there(journal: Journal) -> None:
    known(journal, 11, HERE, THERE)
    gone, report = swept(journal)
    assert gone == []
    assert isinstance(report.error, FatalError)
    row = journal.study("s1")
    assert row is not None
    assert set(row.sources) == {HERE, THERE}


def test_what_places_inside_of_this_source_delivered_vanishes_with_it(journal: Journal) -> None:
    known(journal, 1, INSIDE)
    known(journal, 1, THERE, first=2)
    assert swept(journal)[0] == []
    assert swept(journal, covered=frozenset({INSIDE}))[0] == ["s1"]


def test_kept_studies_stay_as_they_are_but_for_their_dead_letters(journal: Journal) -> None:
    known(journal, 1, HERE)
    journal.dead.put(DeadLetter("s1", "x", 422, "", "2026-01-01T00:00:00Z", dropped=False))
    gone, report = swept(journal, fate="keep")
    assert (gone, report.vanished, report.error) == ([], 1, None)
    assert journal.dead.get("s1") is None
    assert swept(journal, fate="keep")[1].vanished == 1


def test_nothing_is_said_of_many_that_are_kept(journal: Journal) -> None:
    known(journal, 20, HERE)
    assert swept(journal, fate="keep")[1].error is None


def test_what_a_tombstone_stands_for_is_looked_at_again_once_the_journal_is_not_trusted(
    journal: Journal,
) -> None:
    known(journal, 1, DELIVERED, state="retired")
    known(journal, 1, first=2, state="deleted")
    assert swept(journal)[0] == []
    journal.forget_acknowledgements()
    gone, report = swept(journal)
    assert (gone, report.vanished) == (["s1", "s2"], 0)


def test_what_was_leaving_and_is_seen_again_stays(journal: Journal) -> None:
    known(journal, 1, DELIVERED, state="leaving")
    assert swept(journal, seen=1)[0] == []


@pytest.mark.parametrize(
    ("own", "other", "covers"),
    [
        ("/data", "/data/a", True),
        ("/", "/data", True),
        ("/data", "/data2", False),
        ("ahi://store", "ahi://store/set", True),
        ("https://host/v2", "https://host/v2", True),
        ("https://host/v2", "https://host/v2/partitions/other", False),
        ("http://host", "http://host/dicom-web", False),
    ],
)
def test_only_what_a_source_has_listed_counts_as_covered(
    own: str,
    other: str,
    covers: object,
) -> None:
    assert Listing("a", frozenset(), (own,)).covers((other,)) is covers
