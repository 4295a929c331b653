"""The sync job: journal first, then the target, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.existing import Existing
from deidfhir.sync.foreseeing import Foresight
from deidfhir.sync.guarding import reason_to_leave
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.lookahead import last, looked_up
from deidfhir.sync.merging import PARTIAL, STRANGERS, Merger, planner_of
from deidfhir.sync.plan import Plan
from deidfhir.sync.planner import Planner
from deidfhir.sync.refusals import Refusals, sha_of
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.resting import Resting
from deidfhir.sync.retiring import Fate, plan_of
from deidfhir.sync.sending import Sender
from deidfhir.sync.settled import Settled
from deidfhir.sync.shared import Shared
from deidfhir.sync.standing import Mode, Traces
from deidfhir.sync.sweep import Sweep
from deidfhir.sync.target import Found, Target, held_of
from deidfhir.sync.trust import is_trusted
from deidfhir.sync.unit import Listed, Refused, Statements, Unit, Vanished
from deidfhir.web.events import Events
from deidfhir.web.timing import Clock, Stop, never


@dataclass(slots=True)
class SyncJob:
    """Makes a target state what some units state.

    Args:
        target: A server or a folder.
        journal: The target's journal.
        statements: What must be known of statements.
        traces: Tells what of ours stands on others' resources.
        listing: How the source was seen.
        dry_run: Whether only to say what would be sent.
        clock: The time.
        progress: Called with the number of studies done.
        fate: What happens to a study that has vanished from its source.
        confirmed: How many studies the operator says have vanished.
        mode: What becomes of someone else's ImagingStudy (D21).
        stop: Asked before each transaction and after each study why to end the run.
        events: Told of what comes of each study.
    """

    target: Target
    journal: Journal
    statements: Statements
    traces: Traces
    listing: Listing
    dry_run: bool = False
    clock: Clock = field(default_factory=Clock)
    progress: Callable[[int], None] | None = None
    fate: Fate = "retire"
    confirmed: int = 0
    mode: Mode = Mode.OWN
    stop: Stop = never
    events: Events = field(default_factory=Events)
    report: SyncReport = field(default_factory=SyncReport, init=False)
    _planner: Planner = field(init=False)
    _shared: Shared = field(init=False)
    _existing: Existing = field(init=False)
    _sender: Sender = field(init=False)
    _merger: Merger = field(init=False)
    _sweep: Sweep = field(init=False)
    _resting: Resting = field(default_factory=Resting, init=False)
    _unread: bool = field(default=False, init=False)
    _done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Make what the run needs."""
        self._existing = Existing(
            self.target, self.traces, self.mode, self.journal.study, self.report
        )
        self._shared = Shared(self.target, self.journal, self.report, self.dry_run)
        self._sender = Sender(
            self.target,
            self.journal,
            self.statements,
            self.report,
            self._shared,
            Refusals(self.target.shown, self.journal, self.report, self._now, self.events),
            self.stop,
            self.events,
            lambda plan: self._resting.acknowledged(plan, self._planner),
        )

    def run(self, work: Iterable[Unit | Refused | Listed | Settled]) -> SyncReport:
        """Send what must be sent; an error that ends the run is in the report.

        Args:
            work: The studies of the run, stated, refused or only listed, each once.
        """
        try:
            if not is_trusted(self.journal, self.target):
                self.journal.forget_acknowledgements()
            self._planner = self._made_planner()
            self._merger = Merger(self.target, self.statements, self._planner)
            due = last(self._due(work), self.journal.broken.every())
            looks = looked_up(due, self.target, self._sender.crew, self._existing.finding)
            for batch, found in looks:
                self._process(batch, found)
                for _ in batch:
                    self._tick()
            self._finish()
        except DeidFhirError as error:
            # What someone must act on stands above what passes.
            self.report.error = self.report.error or error
            self._abandon()
        return self.report

    @property
    def settled(self) -> dict[str, Settled]:
        """The studies that this run leaves settled, by the id of their ImagingStudy."""
        return self._resting.without({one.name for one in self.report.troubles})

    def _due(
        self, work: Iterable[Unit | Refused | Listed | Settled]
    ) -> Iterator[Unit | Refused | Vanished]:
        """Yield what is to be done: first what the source lists, then what it no longer does."""
        self._sweep = Sweep(
            self.journal,
            self.listing,
            self._planner.covered,
            self._planner.is_listed_whole(),
            self.fate,
            self.confirmed,
        )
        marked = self._sweep.marking(map(self._counted, work))
        for one in self._existing.unsettled(marked, self._is_settled, self._settle):
            if not self._is_dead(one):
                yield one
        yield from self._sweep.vanished(self.report, dry_run=self.dry_run)

    def _counted(self, one: Unit | Refused | Listed | Settled) -> Unit | Refused | Listed | Settled:
        """Count a study that was not read, or of which nothing is said."""
        if isinstance(one, Listed):
            self._resting.listed(one)
        elif isinstance(one, Settled):
            self.report.count("unchanged", one.own + self._shared.count_ids(one.shared))
            self.report.existing.update([one.how] if one.how else [])
            self._tick()
        return one

    def _made_planner(self) -> Planner:
        planner = planner_of(self.journal, self.listing, self.statements)
        if not self.dry_run:
            self.journal.put_source(self.listing.source, self.listing.places)
            self.journal.put_skipped(self.listing.source, planner.skipped_before)
        return planner

    def _finish(self) -> None:
        if self.dry_run:
            return
        self._sender.finish()
        while self._sender.stale:
            self._process([], {})
            self._sender.finish()
        before, skipped = self._planner.skipped_before, self.listing.skipped
        if not skipped <= before:
            # A file stays newly skipped as long as a study misses instances, or is missing.
            partial = any(one.code == PARTIAL for one in self.report.troubles)
            if partial or self._unread or self._sweep.missing().count:
                skipped &= before
        self.journal.put_skipped(self.listing.source, skipped)
        stamp = self.target.stamp()
        if stamp is not None:
            self.journal.claim(stamp=stamp)

    def _is_settled(self, one: Unit | Refused) -> bool:
        known = isinstance(one, Refused) or all(self._shared.is_known(each) for each in one.shared)
        return known and self._planner.is_settled(one, self.journal.study(one.id))

    def _settle(self, one: Unit | Refused) -> None:
        row = self.journal.study(one.id)
        self._resting.as_it_was(one, row)
        if isinstance(one, Unit):
            linked = row is not None and row.standing is not None and row.standing.is_link
            own = one.provenances if linked else one.own
            self.report.count("unchanged", len(own) + self._shared.count(one.shared))
        self._tick()

    def _is_dead(self, one: Unit | Refused) -> bool:
        """Whether the target has refused just this for good; a withdrawal is always tried again."""
        letter = self.journal.dead.get(one.id)
        if letter is None or not isinstance(one, Unit) or letter.sha != one.sha:
            return False
        self._stay_aside(one, letter)
        self._tick()
        return True

    def _stay_aside(self, one: Unit, letter: DeadLetter) -> None:
        if not letter.dropped:
            told = f"{letter.answer}, {letter.id}"
            self.report.troubles.append(Trouble("set-aside", one.name, told))
        self._note_listing(one, self.journal.study(one.id))

    def _process(self, batch: list[Unit | Refused | Vanished], found: dict[str, Found]) -> None:
        """Send what some studies need, and what others changed under us meanwhile."""
        again = [plan.again for plan in self._sender.taken_stale()]
        if again:
            self._existing.told |= {one.id for one in again}
            found = found | self._existing.find(again)
        batch = again + batch
        plans = [plan for one in batch if (plan := self._planned(one, found[one.id]))]
        patients = [one for plan in plans for one in plan.puts if one["resourceType"] == "Patient"]
        held = held_of(self.target, patients)
        for one in found.values():
            held.update(one.by_reference())
        plans = [plan.without_what_stands(held) for plan in plans]
        held.update(self._shared.look_up(one for plan in plans for one in plan.shared))
        if self.dry_run:
            Foresight(self.target, self._shared, self.report).count(plans, held)
        else:
            self._sender.send(plans)

    def _planned(self, one: Unit | Refused | Vanished, found: Found) -> Plan | None:
        row = self.journal.study(one.id)
        if isinstance(one, Vanished):
            return self._safe(plan_of(self.fate, one, found, row, self.statements), found, row)
        if row is not None and self._planner.conflicts(one, row):
            self._leave_alone(one, row, "duplicate-instance-differs")
            return None
        merge = self._merger.merge(one, found, row)
        self._unread |= bool(merge.part.unread)
        if merge.trouble:
            self._leave_alone(one, row, merge.trouble)
            return None
        stranger = Trouble(STRANGERS, one.name)
        if merge.strangers and stranger not in self.report.troubles:
            self.report.troubles.append(stranger)
        placed = self._existing.placed(merge.one, found, row)
        if placed is None:
            self._note_listing(one, row)
            return None
        if isinstance(placed, Refused):
            plan = self._planner.withdrawal(placed, found, row, merge.part)
        else:
            plan = self._planner.unit(placed, found, row, self._now(), merge.part)
        if merge.versions:
            plan = replace(plan, versions={**merge.versions, **plan.versions})
        return self._safe(plan, found, row)

    def _safe(self, plan: Plan, found: Found, row: StudyRow | None) -> Plan | None:
        """Return a plan; None, said why, if it was refused or theirs could not come back."""
        letter = self.journal.dead.get(plan.id)
        if letter is not None and isinstance(plan.again, Unit) and letter.sha == sha_of(plan):
            self._stay_aside(plan.again, letter)  # neither ours nor theirs has changed
            return None
        code = reason_to_leave(plan, found, self.target)
        if not code:
            return plan
        self.report.troubles.append(Trouble(code, plan.name))
        if not isinstance(plan.again, Vanished):
            self._note_listing(plan.again, row)
        return None

    def _leave_alone(self, one: Unit | Refused, row: StudyRow | None, trouble: str) -> None:
        """Say why nothing is done for a study, and note what this source lists of it."""
        self.report.troubles.append(Trouble(trouble, one.name))
        self._note_listing(one, row)

    def _note_listing(self, one: Unit | Refused, row: StudyRow | None) -> None:
        """Note what this source lists of a study that is not sent: others ask for it."""
        if row is not None and self._planner.is_listed_whole() and not self.dry_run:
            sources = self._planner.sources(self._planner.mine(one), row, sent=False)
            if sources != row.sources:
                self.journal.put_studies({one.id: replace(row, sources=sources)})

    def _abandon(self) -> None:
        """Note what was written in spite of the error that ends the run."""
        try:
            if not self.dry_run:
                self._sender.abandon()
        except DeidFhirError:
            return  # the journal failed as well: what was written is looked up by the next run

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self.clock.now()), UTC).isoformat()

    def _tick(self) -> None:
        self._done += 1
        if self.progress:
            self.progress(self._done)
        if code := self.stop():
            raise RetriableError(code)
