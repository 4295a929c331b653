"""The sync job: journal first, then the target, study by study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from deidfhir.errors import DeidFhirError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.journal import Journal
from deidfhir.sync.outcome import Rejected
from deidfhir.sync.plan import Plan, Planner
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.target import Found, Target, comparable
from deidfhir.sync.timing import Clock
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
    """

    target: Target
    journal: Journal
    statements: Statements
    listing: Listing
    dry_run: bool = False
    clock: Clock = field(default_factory=Clock)
    progress: Callable[[int], None] | None = None
    report: SyncReport = field(default_factory=SyncReport, init=False)
    _devices: set[str] = field(default_factory=set, init=False)
    _unflushed: list[Plan] = field(default_factory=list, init=False)
    _unflushed_devices: dict[str, str] = field(default_factory=dict, init=False)
    _done: int = field(default=0, init=False)

    def run(self, work: Iterable[Unit | Refused]) -> SyncReport:
        """Send what must be sent; an error that ends the run is in the report.

        Args:
            work: The studies of the run, stated or refused, each once.
        """
        try:
            self._trust_journal()
            due = (one for one in work if not self._is_settled(one))
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

    def _finish(self) -> None:
        if self.dry_run:
            return
        self.journal.put_skipped(self.listing.source, self.listing.skipped)
        stamp = self.target.stamp()
        if stamp is not None:
            self.journal.claim(stamp=stamp)

    def _is_settled(self, one: Unit | Refused) -> bool:
        row = self.journal.study(one.id)
        if isinstance(one, Refused):
            settled = row is not None and row.state == "refused"
        else:
            settled = row is not None and row.state == "sent" and row.sha == one.sha
            settled = settled and all(self._device_is_known(device) for device in one.devices)
            if settled:
                self.report.count("unchanged", 1 + len(one.provenances))
                fresh = [one for one in one.devices if one["id"] not in self._devices]
                self._devices.update(device["id"] for device in fresh)
                self.report.count("unchanged", len(fresh))
        if settled:
            self._tick()
        return settled

    def _device_is_known(self, device: JsonObject) -> bool:
        return self.journal.device(device["id"]) == digest(comparable(device))

    def _process(self, batch: list[Unit | Refused]) -> None:
        found = self.target.find(one.id for one in batch)
        skipped_before = self.journal.skipped(self.listing.source)
        planner = Planner(self.listing, skipped_before, self.statements)
        for one in batch:
            if isinstance(one, Refused):
                self._withdraw(one, found[one.id], planner)
            else:
                self._state(one, found[one.id], planner)
            self._tick()
        if not self.dry_run:
            self.target.flush()
            self._acknowledge()

    def _state(self, unit: Unit, found: Found, planner: Planner) -> None:
        row = self.journal.study(unit.id)
        if planner.shrinks(unit, found, row):
            self.report.troubles.append(Trouble("partial-study", unit.name))
            return
        plan = planner.unit(unit, found, row, self._now())
        if not self._put_devices(unit):
            return
        if self.dry_run:
            self._foresee(plan, found)
        else:
            self.journal.put_study(plan.id, plan.before)
            self._send(plan)

    def _withdraw(self, refused: Refused, found: Found, planner: Planner) -> None:
        plan = planner.withdrawal(refused, found, self.journal.study(refused.id))
        if plan.puts:
            self.report.withdrawn += 1
            self.report.troubles.append(Trouble("claim-withdrawn", plan.name))
        if self.dry_run:
            self._foresee(plan, found)
        elif plan.puts:
            self._send(plan)
        else:
            self.journal.put_study(plan.id, plan.row)

    def _put_devices(self, unit: Unit) -> bool:
        """Put the unit's Devices that are new to the target, serially and before their study."""
        fresh = [one for one in unit.devices if one["id"] not in self._devices]
        due = [one for one in fresh if not self._device_is_known(one)]
        self.report.count("unchanged", len(fresh) - len(due))
        if self.dry_run:
            held = self.target.read("Device", [one["id"] for one in due])
            for one in due:
                self._count_foreseen(one, held.get(one["id"]))
        elif due:
            try:
                outcomes = self.target.write(due)
            except Rejected as error:
                self._reject(error, unit.name, len(due) + 1 + len(unit.provenances))
                return False
            self._count(outcomes)
            self._unflushed_devices.update({one["id"]: digest(comparable(one)) for one in due})
        self._devices.update(one["id"] for one in fresh)
        return True

    def _send(self, plan: Plan) -> None:
        try:
            outcomes = self.target.write(plan.puts, plan.deletes)
        except Rejected as error:
            if plan.stale:
                self._mark_withdrawn(plan)
            else:
                self._reject(error, plan.name, len(plan.puts))
            return
        self._count(outcomes)
        self.report.count("deleted", len(plan.deletes))
        self._sent(plan)

    def _mark_withdrawn(self, plan: Plan) -> None:
        """Overwrite what should have been deleted: some servers refuse deletion (D18)."""
        marked = [self.statements.withdrawn_provenance(one) for one in plan.stale]
        try:
            outcomes = self.target.write([*plan.puts, *marked])
        except Rejected as error:
            self._reject(error, plan.name, len(plan.puts) + len(marked))
            return
        self._count(outcomes)
        self.report.troubles.append(Trouble("withdrawal-marked", plan.name))
        self._sent(plan)

    def _sent(self, plan: Plan) -> None:
        self._unflushed.append(plan)
        if self.target.at_once:
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._unflushed_devices:
            self.journal.put_devices(self._unflushed_devices)
        for plan in self._unflushed:
            self.journal.put_study(plan.id, plan.row)
        self._unflushed.clear()
        self._unflushed_devices.clear()

    def _reject(self, error: Rejected, name: str, resources: int) -> None:
        self.report.count("failed", resources)
        self.report.troubles.append(Trouble("rejected", name, str(error)))

    def _foresee(self, plan: Plan, found: Found) -> None:
        held = found.by_reference()
        for one in plan.puts:
            self._count_foreseen(one, held.get(f"{one['resourceType']}/{one['id']}"))
        self.report.count("deleted", len(plan.deletes))

    def _count_foreseen(self, resource: JsonObject, held: JsonObject | None) -> None:
        if held is None:
            self.report.count("created")
        else:
            same = comparable(resource) == comparable(held)
            self.report.count("unchanged" if same else "updated")

    def _count(self, outcomes: list[str]) -> None:
        self.report.resources.update(outcomes)

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self.clock.now()), UTC).isoformat()

    def _tick(self) -> None:
        self._done += 1
        if self.progress:
            self.progress(self._done)
