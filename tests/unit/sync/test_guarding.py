"""Someone else's ImagingStudy is never put where it could not come back as it was (D21)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.standing import How, Mode, Standing
from deidfhir.sync.unit import Refused
from deidfhir.web.outcome import Rejected
from tests.unit.sync.memory import AT, Memory, NoTraces, Statements, unit

Json = dict[str, Any]
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
ADDED = [{"url": "ours", "valueCode": "x"}]
WHOLE = {
    "resourceType": "ImagingStudy",
    "id": "pacs-1",
    "meta": {"versionId": "3"},
    "identifier": [{"system": "s", "value": "v"}],
}
PART = {**WHOLE, "meta": {"versionId": "3", "tag": [TAG]}}
UNVERSIONED = {key: one for key, one in WHOLE.items() if key != "meta"}
HALF = {**WHOLE, "description": "a\ud800b"}


class Forms:
    """A study that may enrich what it finds, and has no Provenance there."""

    identifiers = ("s|v",)
    may_touch = True
    is_part = False
    leaves_out = False

    def provenances(self, theirs: Json, *, enriched: bool) -> tuple[Json, ...]:
        """State nothing."""
        del theirs, enriched
        return ()

    def enriched(self, theirs: Json) -> Json:
        """Add one extension."""
        return {**theirs, "extension": ADDED}


class Traces(NoTraces):
    """What is ours is the one extension."""

    def stripped(self, theirs: Json, owner: str) -> Json:
        """Take it away."""
        del owner
        if "extension" not in theirs:
            return theirs
        return {key: one for key, one in theirs.items() if key != "extension"}


@dataclass
class Others(Memory):
    """A target with someone else's ImagingStudy, in a search and by its id."""

    searched: Json = field(default_factory=dict)
    by_id: Json = field(default_factory=dict)

    def studies(self, identifiers: list[str], *, brief: bool = False) -> list[Json]:
        """Return what a search gives."""
        super().studies(identifiers, brief=brief)
        return [self.searched]

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, Json]:
        """Return what is there by its id."""
        wanted = list(ids)
        super().read(kind, wanted)
        return {"pacs-1": self.by_id} if kind == "ImagingStudy" and "pacs-1" in wanted else {}


class Folder(Others):
    """A target that tells when others have changed it."""

    def stamp(self) -> str | None:
        """Tell the same."""
        return "stamp"


def enriching(target: Others) -> SyncJob:
    """Return a job in mode `enrich`."""
    listing = Listing("source", frozenset())
    return SyncJob(
        target, target.journal, Statements(), Traces(), listing, clock=AT, mode=Mode.ENRICH
    )


def writes(target: Others) -> list[str]:
    return [one for one in target.log if one.startswith("write")]


REASONS = {
    "existing-unversioned": (UNVERSIONED, UNVERSIONED),
    "existing-subsetted": (PART, PART),
    "existing-unwritable": (HALF, HALF),
}


@pytest.mark.parametrize("code", REASONS)
def test_what_could_not_come_back_as_it_was_is_not_put_on_a_server(
    journal: Journal, code: str
) -> None:
    searched, by_id = REASONS[code]
    target = Others(journal, searched=searched, by_id=by_id)
    report = enriching(target).run([replace(unit(1), forms=Forms())])
    assert [one.code for one in report.troubles] == [code]
    assert report.existing["failed"] == 1
    assert writes(target) == []


def test_what_a_search_gives_in_part_is_read_by_its_id(journal: Journal) -> None:
    target = Others(journal, searched=PART, by_id=WHOLE)
    report = enriching(target).run([replace(unit(1), forms=Forms())])
    assert report.troubles == []
    assert writes(target) == ["write pacs-1"]
    assert target.versions == [{"ImagingStudy/pacs-1": "3"}]


def test_a_folder_has_no_versions_and_keeps_every_character(journal: Journal) -> None:
    half = {key: one for key, one in HALF.items() if key != "meta"}
    target = Folder(journal, searched=half, by_id=half)
    report = enriching(target).run([replace(unit(1), forms=Forms())])
    assert report.troubles == []
    assert writes(target) == ["write pacs-1"]


@pytest.mark.parametrize("code", REASONS)
def test_what_is_withdrawn_is_not_put_either_and_stays_due(journal: Journal, code: str) -> None:
    enriched = {**REASONS[code][1], "extension": ADDED}
    target = Others(journal, searched=enriched, by_id=enriched)
    standing = Standing(How.ENRICHED, Mode.ENRICH, "pacs-1", "3")
    journal.put_studies({"s1": StudyRow("sent", "x", {}, {}, standing=standing)})
    refused = Refused("s1", "1.1", {"1.1.1": "c"}, decisive=True, name="path 1")
    report = enriching(target).run([refused])
    assert [one.code for one in report.troubles] == [code]
    assert writes(target) == []
    row = journal.study("s1")
    assert row is not None
    assert (row.state, row.standing) == ("sent", standing)


def test_what_is_refused_beside_theirs_is_due_again_when_theirs_changes(journal: Journal) -> None:
    one = replace(unit(1), forms=Forms())
    refusal: dict[str, Exception] = {"pacs-1": Rejected(422, "invariant")}
    first = Others(journal, searched=WHOLE, by_id=WHOLE, failures=refusal)
    assert [each.code for each in enriching(first).run([one]).troubles] == ["rejected"]
    again = Others(journal, searched=WHOLE, by_id=WHOLE)
    assert [each.code for each in enriching(again).run([one]).troubles] == ["set-aside"]
    assert writes(again) == []
    mended = {**WHOLE, "meta": {"versionId": "4"}}
    last = Others(journal, searched=mended, by_id=mended)
    assert enriching(last).run([one]).troubles == []
    assert writes(last) == ["write pacs-1"]
    assert journal.dead.every() == []
