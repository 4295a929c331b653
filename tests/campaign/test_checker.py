"""The checker catches what is lost, doubled, spurious or a lie, and nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.units import SyncWork
from tests.campaign.checker import Checker, Faults
from tests.campaign.client import Site, run_here
from tests.campaign.memory import MemoryServer
from tests.campaign.world import Claim, World

Json = dict[str, Any]
LONG_AGO = "2000-01-01T00:00:00+00:00"


@dataclass
class Settled:
    """A server that is as planned, after a first run and one change."""

    memory: MemoryServer
    world: World
    site: Site

    def faults(self, *, marks: bool = False) -> Faults:
        """Return what the checker finds."""
        checker = Checker(self.memory.url, self.world, self.site.journal, LONG_AGO, marks=marks)
        return checker.check()

    def held(self, kind: str) -> Json:
        """Return one resource of a type."""
        return min(self.memory.store.all(kind), key=lambda one: str(one["id"]))

    def journal(self, sql: str) -> None:
        """Change the journal behind the client's back."""
        with sqlite3.connect(self.site.journal) as database:
            database.execute(sql)
        database.close()


@pytest.fixture
def settled(memory: MemoryServer, tmp_path: Path) -> Settled:
    """Give a server that is as planned: two studies, one of them with equipment."""
    world = World(tmp_path / "archive", Random(1), "https://tests.example/checker", 1 << 40, 0)
    for study, model in ((1, None), (2, 0)):
        world.write(study, 1, Claim(1, model))
    site = Site(world.folder, memory.url, tmp_path / "j" / "journal", world.context)
    for version in (1, 2):
        world.write(1, 1, Claim(version))
        world.plan()
        assert run_here(site, 20).code == 0
    return Settled(memory, world, site)


def test_a_server_that_is_as_planned_is_found_to_be(settled: Settled) -> None:
    assert settled.faults().all == []
    numbers = [len(one) for one in settled.memory.store.histories.values()]
    assert sorted(numbers) == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance", "Device"])
def test_what_is_not_there_is_lost(settled: Settled, kind: str) -> None:
    gone = f"{kind}/{settled.held(kind)['id']}"
    settled.memory.store.delete(gone)
    assert f"{gone} is not there" in settled.faults().lost
    del settled.memory.store.histories[gone]
    assert f"{gone} is not there" in settled.faults().lost


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance", "Device"])
def test_what_is_otherwise_than_planned_is_lost(settled: Settled, kind: str) -> None:
    other = {**settled.held(kind), "language": "de"}
    settled.memory.store.put(other)
    found = settled.faults()
    assert found.lost == [f"{kind}/{other['id']} is not as planned"]
    assert found.spurious == [f"{kind}/{other['id']} has a version that was never planned so"]


def test_what_is_as_it_was_before_the_last_change_is_lost(settled: Settled) -> None:
    name, versions = next(
        (name, one) for name, one in settled.memory.store.histories.items() if len(one) == 2
    )
    versions.pop()
    assert settled.faults().lost == [f"{name} is not as planned"]


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance", "Device"])
def test_what_is_there_twice_is_doubled(settled: Settled, kind: str) -> None:
    settled.memory.store.put({**settled.held(kind), "id": "twin"})
    assert f"{kind}/twin is there and not planned" in settled.faults().doubled


def test_a_study_is_looked_for_by_its_identifier_and_statements_by_their_target(
    settled: Settled,
) -> None:
    settled.memory.store.put({**settled.held("ImagingStudy"), "id": "twin"})
    settled.memory.store.put({**settled.held("Provenance"), "id": "twin"})
    doubled = settled.faults().doubled
    assert "ImagingStudy/twin is found, too" in doubled
    assert "Provenance/twin targets a study" in doubled


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance", "Device"])
def test_a_version_that_changes_nothing_is_spurious(settled: Settled, kind: str) -> None:
    settled.memory.store.suppresses = False
    one = settled.held(kind)
    settled.memory.store.put(one)
    found = settled.faults()
    assert f"{kind}/{one['id']} has a version that changes nothing" in found.spurious
    assert (found.lost, found.doubled, found.lies) == ([], [], [])


def test_a_statement_that_is_recorded_anew_is_spurious_and_not_as_the_journal_says(
    settled: Settled,
) -> None:
    settled.memory.store.put({**settled.held("Provenance"), "recorded": LONG_AGO})
    found = settled.faults()
    assert any(one.endswith("was recorded anew") for one in found.spurious)
    assert any("other instants of recording" in one for one in found.lies)


def test_a_version_that_went_missing_is_missed(settled: Settled) -> None:
    name, versions = next(
        (name, one) for name, one in settled.memory.store.histories.items() if len(one) == 2
    )
    del versions[0]
    assert settled.faults().spurious == [f"{name} is 1 changes, not versions"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE study SET state = 'planned'", "is planned"),
        ("UPDATE study SET sha = 'other'", "is not acknowledged as it is"),
        ("DELETE FROM study", "is not acknowledged as it is"),
        ("UPDATE device SET sha = 'other'", "is not acknowledged as it is"),
        ("DELETE FROM device", "is not acknowledged as it is"),
        ("UPDATE study SET statements = '{}'", "has other instants of recording than the server"),
    ],
)
def test_a_journal_that_lies_is_caught(settled: Settled, sql: str, told: str) -> None:
    settled.journal(sql)
    found = settled.faults()
    assert found.lies
    assert all(told in one or "is not acknowledged" in one for one in found.lies)
    assert (found.lost, found.doubled, found.spurious) == ([], [], [])


@pytest.mark.parametrize("delivers", [True, False], ids=["withdrawn", "never delivered"])
def test_a_withdrawn_study_is_as_it_should_be(settled: Settled, *, delivers: bool) -> None:
    number = 1 if delivers else 3
    settled.world.write(number, 1, Claim(1, removed=False))
    settled.world.plan()
    assert run_here(settled.site, 20).code == 3
    assert settled.faults().all == []
    assert len(settled.memory.store.all("Provenance")) == (1 if delivers else 2)


def test_a_mark_counts_as_a_deletion_only_where_a_server_may_refuse_one(settled: Settled) -> None:
    statement = settled.held("Provenance")
    settled.world.write(1, 1, Claim(1, removed=False))
    settled.world.write(2, 1, Claim(1, removed=False))
    settled.world.plan()
    assert run_here(settled.site, 20).code == 3
    marked = OurStatements(SyncWork(read_paths([]), settled.world.context)).withdrawn_provenance(
        statement
    )
    versions = settled.memory.store.histories[f"Provenance/{statement['id']}"]
    versions[-1] = replace(versions[-1], resource={**marked, "meta": {"versionId": "3"}})
    assert settled.faults(marks=True).all == []
    assert settled.faults().doubled
