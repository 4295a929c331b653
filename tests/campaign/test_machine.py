"""Any edits, crashes, faults, stops and runs, in any order, and the next runs make it good.

A state machine of hypothesis against a server in memory: what fails is made as short as it can be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.web.timing import never
from tests.campaign.checker import Checker
from tests.campaign.client import FastTime, Ran, Site, retry_dead, run_here
from tests.campaign.crash import crashing
from tests.campaign.faults import CLASSES, fits
from tests.campaign.memory import MemoryServer
from tests.campaign.proxy import Exchange, FaultProxy, Injection
from tests.campaign.world import World

LONG_AGO = "2000-01-01T00:00:00+00:00"
PATIENT, HURRIED = 20.0, 0.3
ANY = CLASSES["mixed"].inject
SPOILING = sorted(
    name for name, one in CLASSES.items() if one.inject not in (None, ANY) and name != "slow"
)
GROWING = ["add_study", "add_instance", "reclaim", "reclaim_one", "turn"]
SHRINKING = ["remove_instance", "remove_study", "return_study"]
THEN = ["", *GROWING, *SHRINKING, "remove_instance", "remove_instance"]
SEEDS = st.integers(0, 1 << 16)


class Syncing(RuleBasedStateMachine):
    """An archive, its journal and a server behind a faulty network."""

    def __init__(self) -> None:
        """Start a server and a proxy before it."""
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.memory, self.time = MemoryServer(), FastTime()
        self.memory.__enter__()
        self.proxy = FaultProxy(self.memory.url)
        self.proxy.__enter__()
        self.may_mark = self.may_set_aside = False
        self.shrinks, self.journals = True, 1

    @initialize(seed=SEEDS, studies=st.integers(1, 3), shrinks=st.booleans())
    def begin(self, seed: int, studies: int, *, shrinks: bool) -> None:
        """Write the first studies; where the journal may be lost, none of them shrinks (D19)."""
        folder = Path(self._folder.name)
        namespace = "https://tests.example/machine"
        self.world = World(folder / "archive", Random(seed), namespace, 1 << 40, studies)
        self.shrinks = shrinks
        journal = folder / "1" / "journal"
        self.site = Site(self.world.folder, self.proxy.url, journal, self.world.context)

    @rule(edit=st.sampled_from(GROWING), seed=SEEDS)
    def change(self, edit: str, seed: int) -> None:
        """Change the archive."""
        self.edit(edit, seed)

    def edit(self, edit: str, seed: int) -> None:
        """Change the archive by one of its ways."""
        self.world.rng.seed(seed)
        change: Callable[[], None] = getattr(self.world, edit)
        change()

    @precondition(lambda self: self.shrinks)
    @rule(edit=st.sampled_from(SHRINKING), seed=SEEDS)
    def take_away(self, edit: str, seed: int) -> None:
        """Take files away, or bring them back."""
        self.edit(edit, seed)

    @rule()
    def run_it(self) -> None:
        """Run without faults."""
        self._run()

    @rule(number=st.integers(1, 2), after=st.booleans(), then=st.sampled_from(THEN), seed=SEEDS)
    def crash(self, number: int, then: str, seed: int, *, after: bool) -> None:
        """Run, and crash at a write, before or after the server has done it; then change more."""
        with crashing(self.proxy, number, after=after):
            self._run()
        if then and (self.shrinks or then not in SHRINKING):
            self.edit(then, seed)

    @rule(
        name=st.sampled_from(SPOILING), seed=SEEDS, first=st.integers(1, 6), most=st.integers(1, 9)
    )
    def run_spoilt(self, name: str, seed: int, first: int, most: int) -> None:
        """Run while the proxy spoils some requests in a row."""
        fault, rng, seen = CLASSES[name], Random(seed), 0
        self.may_mark |= fault.marks
        self.may_set_aside |= fault.sets_aside
        assert fault.inject is not None
        inject = fault.inject

        def script(exchange: Exchange) -> Injection | None:
            nonlocal seen
            seen += 1
            spoils = first <= seen < first + most and fits(fault, exchange)
            return inject(rng) if spoils else None

        self.proxy.script = script
        self._run(HURRIED if name == "stalled" else PATIENT)
        self.proxy.script = None
        self.proxy.let_go()

    @rule(asked=st.integers(0, 12))
    def stop(self, asked: int) -> None:
        """Run until it is asked to stop."""
        left = asked

        def stopping() -> str:
            nonlocal left
            left -= 1
            return "interrupted" if left < 0 else ""

        self._run(stop=stopping)

    @precondition(lambda self: not self.shrinks)
    @rule()
    def lose_journal(self) -> None:
        """Go on with another journal, which knows nothing."""
        self.journals += 1
        journal = self.site.journal.parent.with_name(str(self.journals)) / "journal"
        self.site = replace(self.site, journal=journal)

    @rule()
    def settle(self) -> None:
        """Let two runs make all good, and hold the server against the plan."""
        set_aside = retry_dead(self.site)
        assert self.may_set_aside or not set_aside
        self._run()
        ran = self._run()
        assert (ran.code, ran.err) == (3 if self.world.plans[-1].refused else 0, "")
        before = self.proxy.counts.writes
        self._run()
        assert self.proxy.counts.writes == before
        checker = Checker(
            self.memory.url, self.world, self.site.journal, LONG_AGO, marks=self.may_mark
        )
        assert checker.check().all == []

    def teardown(self) -> None:
        """Settle once more, and stop the servers."""
        try:
            if hasattr(self, "world"):
                self.settle()
        finally:
            self.proxy.let_go()
            self.proxy.__exit__(None, None, None)
            self.memory.__exit__(None, None, None)
            self._folder.cleanup()

    def _run(self, timeout: float = PATIENT, stop: Callable[[], str] = never) -> Ran:
        self.world.plan()
        ran = run_here(self.site, timeout, self.time.clock(), stop)
        assert ran.code in (0, 1, 3, 5)
        assert "internal error" not in ran.err
        return ran


Syncing.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSyncing = Syncing.TestCase


def test_a_client_that_notes_nothing_before_it_sends_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = Journal.put_studies

    def forgetful(journal: Journal, rows: Mapping[str, StudyRow]) -> None:
        noted(journal, {key: row for key, row in rows.items() if row.state != "planned"})

    def crash_and_take_away(seed: int) -> bool:
        machine = Syncing()
        machine.begin(seed, 1, shrinks=True)
        machine.crash(1 + seed % 2, "remove_instance", seed, after=True)
        try:
            machine.teardown()
        except AssertionError:
            return False
        return True

    assert all(crash_and_take_away(seed) for seed in range(6))
    monkeypatch.setattr(Journal, "put_studies", forgetful)
    assert not all(crash_and_take_away(seed) for seed in range(6))
