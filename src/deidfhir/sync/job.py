"""The sync job: journal first, then the target, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.plan import Plan, Planner
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.sending import Sender
from deidfhir.sync.target import Found, Target, comparable, held_of
from deidfhir.sync.timing import Clock, never
from deidfhir.sync.unit import Listing, Refused, Statements, Unit, digest


@dataclass(slots=True)
class SyncJob:
    """Makes a target state what some units state.

    Args:
        target: A server or a folder.
        journal: The target's journal.
        statements: What must be known of statements.
        listing: How the source was seen.
        dry_run: Whether only to say what would be sent.
        clock: The time.
        progress: Called with the number of studies done.
        stop: Asked before each transaction and after each study whether to end the run.
    """

    target: Target
    journal: Journal
    statements: Statements
    listing: Listing
    dry_run: bool = False
    clock: Clock = field(default_factory=Clock)
    progress: Callable[[int], None] | None = None
    stop: Callable[[], bool] = never
    report: SyncReport = field(default_factory=SyncReport, init=False)
    _planner: Planner = field(init=False)
    _shared: set[str] = field(default_factory=set, init=False)
    _sender: Sender = field(init=False)
    _done: int = field(default=0, init=False)

    def run(self, work: Iterable[Unit | Refused]) -> SyncReport:
        """Send what must be sent; an error that ends the run is in the report.

        Args:
            work: The studies of the run, stated or refused, each once.
        """
        try:
            self._trust_journal()
            self._planner = self._made_planner()
            self._sender = Sender(
                self.target, self.journal, self.statements, self.report, self._now, self.stop
            )
            due = (one for one in work if not self._is_settled(one) and not self._is_dead(one))
            while batch := list(islice(due, self.target.batch)):
                self._process(batch)
            self._finish()
        except DeidFhirError as error:
            self.report.error = error
        return self.report

    def _trust_journal(self) -> None:
        """Believe the journal's acknowledgements only if the target is as they left it."""
        stamp = self.target.stamp()
        if stamp is not None and stamp != self.journal.identity("stamp"):
            self.journal.forget_acknowledgements()

    def _made_planner(self) -> Planner:
        others = self.journal.sources()
        others.pop(self.listing.source, None)
        covered = {one for one, places in others.items() if self.listing.covers(places)}
        # A file that can be read again is no longer one that is known to be skipped.
        skipped_before = self.journal.skipped(self.listing.source) & self.listing.skipped
        if not self.dry_run:
            self.journal.put_source(self.listing.source, self.listing.places)
            self.journal.put_skipped(self.listing.source, skipped_before)
        return Planner(self.listing, skipped_before, self.statements, frozenset(covered))

    def _finish(self) -> None:
        if self.dry_run:
            return
        before, skipped = self._planner.skipped_before, self.listing.skipped
        if not skipped <= before:
            # A file stays newly skipped as long as a study misses instances, or is missing.
            partial = any(one.code == "partial-study" for one in self.report.troubles)
            if partial or self.journal.studies_of(self.listing.source) > self._done:
                skipped &= before
        self.journal.put_skipped(self.listing.source, skipped)
        stamp = self.target.stamp()
        if stamp is not None:
            self.journal.claim(stamp=stamp)

    def _is_settled(self, one: Unit | Refused) -> bool:
        if not self._planner.is_settled(one, self.journal.study(one.id)):
            return False
        if isinstance(one, Unit):
            if not all(self._is_known(each) for each in one.shared):
                return False
            fresh = {each["id"] for each in one.shared} - self._shared
            self._shared |= fresh
            self.report.count("unchanged", len(one.own) + len(fresh))
        self._tick()
        return True

    def _is_dead(self, one: Unit | Refused) -> bool:
        """Whether the target has refused just this for good; a withdrawal is always tried again."""
        letter = self.journal.dead.get(one.id)
        if letter is None or not isinstance(one, Unit) or letter.sha != one.sha:
            return False
        if not letter.dropped:
            told = f"{letter.answer}, {letter.id}"
            self.report.troubles.append(Trouble("set-aside", one.name, told))
        self._note_listing(one, self.journal.study(one.id))
        self._tick()
        return True

    def _is_known(self, shared: JsonObject) -> bool:
        return self.journal.device(shared["id"]) == digest(comparable(shared))

    def _process(self, batch: list[Unit | Refused]) -> None:
        found = self.target.find(one.id for one in batch)
        plans = []
        for one in batch:
            row = self.journal.study(one.id)
            trouble = self._trouble(one, found[one.id], row)
            if trouble:
                self.report.troubles.append(Trouble(trouble, one.name))
            elif isinstance(one, Refused):
                plans += self._withdrawn(self._planner.withdrawal(one, found[one.id], row))
            else:
                plans += self._stated(one, self._planner.unit(one, found[one.id], row, self._now()))
        if self.dry_run:
            for plan in plans:
                self._foresee(plan, found[plan.id])
        else:
            self._sender.send(plans)
            self.target.flush()
            self._sender.acknowledge()
        for _ in batch:
            self._tick()

    def _trouble(self, one: Unit | Refused, found: Found, row: StudyRow | None) -> str:
        if row is not None and self._planner.conflicts(one, row):
            trouble = "duplicate-instance-differs"
        else:
            trouble = "partial-study" if self._planner.is_partial(one, found, row) else ""
        if trouble:
            self._note_listing(one, row)
        return trouble

    def _note_listing(self, one: Unit | Refused, row: StudyRow | None) -> None:
        """Note what this source lists of a study that is not sent: others ask for it."""
        if row is not None and self._planner.is_listed_whole() and not self.dry_run:
            sources = self._planner.sources(one, row, sent=False)
            if sources != row.sources:
                self.journal.put_studies({one.id: replace(row, sources=sources)})

    def _stated(self, unit: Unit, plan: Plan) -> list[Plan]:
        """Return the plan if what the study shares with others is there, or now put there."""
        fresh = [one for one in unit.shared if one["id"] not in self._shared]
        due = [one for one in fresh if not self._is_known(one)]
        self.report.count("unchanged", len(fresh) - len(due))
        if self.dry_run:
            self._foresee_all(due, held_of(self.target, due))
        elif due:
            shas = {one["id"]: digest(comparable(one)) for one in due}
            if not self._sender.send_shared(due, shas, plan):
                return []
        self._shared.update(one["id"] for one in fresh)
        return [plan]

    def _withdrawn(self, plan: Plan) -> list[Plan]:
        """Return the plan if there is anything to withdraw."""
        if not (plan.puts or plan.stale):
            if not self.dry_run:
                self.journal.acknowledge({plan.id: plan.row})
            return []
        self.report.withdrawn += 1
        self.report.troubles.append(Trouble("claim-withdrawn", plan.name))
        return [plan]

    def _foresee(self, plan: Plan, found: Found) -> None:
        patients = [one for one in plan.puts if one["resourceType"] == "Patient"]
        held = {**found.by_reference(), **held_of(self.target, patients)}
        differs = any(
            comparable(held.get(reference(one), {})) != comparable(one) for one in plan.puts
        )
        if differs or plan.deletes:
            self.target.rehearse()
        self._foresee_all(plan.puts, held)
        self.report.count("deleted", len(plan.deletes))

    def _foresee_all(self, puts: Iterable[JsonObject], held: dict[str, JsonObject]) -> None:
        for one in puts:
            before = held.get(reference(one))
            if before is None:
                self.report.count("created")
            else:
                same = comparable(one) == comparable(before)
                self.report.count("unchanged" if same else "updated")

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self.clock.now()), UTC).isoformat()

    def _tick(self) -> None:
        self._done += 1
        if self.progress:
            self.progress(self._done)
        if self.stop():
            raise RetriableError("interrupted")
