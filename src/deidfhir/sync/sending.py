"""Plans → transactions: several studies at a time; the one that is refused is found by halving."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deidfhir.errors import RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.sync.outcome import Rejected
from deidfhir.sync.packing import packed
from deidfhir.sync.plan import Plan
from deidfhir.sync.recovery import Recovery
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.target import Target
from deidfhir.sync.unit import Statements

_BROKEN_IN_A_ROW = 3
"""After so many studies that the server fails on, it is the server, not the studies."""


@dataclass(slots=True)
class _Written:
    """What was written and waits to be durable."""

    outcomes: list[str]
    plan: Plan | None = None
    devices: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Sender:
    """Sends plans and keeps the journal true to what came of them.

    Args:
        target: A server or a folder.
        journal: The target's journal: what is sent stands in it before, acknowledged after.
        statements: What must be known of statements.
        report: Counts what is done.
        now: Gives the instant for what is set aside.
        stop: Asked before each transaction whether to end the run.
    """

    target: Target
    journal: Journal
    statements: Statements
    report: SyncReport
    now: Callable[[], str]
    stop: Callable[[], bool]
    _unflushed: list[_Written] = field(default_factory=list, init=False)
    _broken: list[Rejected] = field(default_factory=list, init=False)
    _refused: dict[frozenset[str], Rejected] = field(default_factory=dict, init=False)

    def send(self, plans: Iterable[Plan]) -> None:
        """Send plans, as many in one transaction as the target takes."""
        for group in packed(plans, self.target.limits):
            self._send(group)
        self._give_up_if_broken()

    def _send(self, plans: list[Plan]) -> None:
        if self.stop():
            raise RetriableError("interrupted")
        self.journal.put_studies({plan.id: plan.before for plan in plans})
        puts = [one for plan in plans for one in plan.puts]
        deletes = [one for plan in plans for one in plan.deletes]
        try:
            outcomes = self.target.write(puts, deletes)
        except Rejected as error:
            if len(plans) > 1:
                # All or nothing was written: nothing. Which of them is it?
                middle = len(plans) // 2
                self._send(plans[:middle])
                self._send(plans[middle:])
            else:
                self._send_alone(plans[0], error)
            return
        self._broken.clear()
        for plan in plans:
            own, outcomes = outcomes[: len(plan.puts)], outcomes[len(plan.puts) :]
            self._written(_Written(own + ["deleted"] * len(plan.deletes), plan))

    def _send_alone(self, plan: Plan, error: Rejected) -> None:
        """Handle the refusal of a single study."""
        if not plan.deletes or error.recovery in (Recovery.BROKEN, Recovery.STALE):
            self._reject(error, plan, len(plan.puts))
            self._set_aside(error, plan)
            self._give_up_if_broken()
            return
        # Some servers refuse deletion: what should go is overwritten and marked (D18).
        marked = [self.statements.withdrawn_provenance(one) for one in plan.stale]
        if plan.gone:
            marked.append(self.statements.withdrawn_patient(plan.gone))
        puts = [*plan.puts, *marked]
        try:
            rewritten = self.target.write(puts)
        except Rejected as again:
            self._reject(again, plan, len(puts))
            self._give_up_if_broken()
        else:
            self.report.troubles.append(Trouble("withdrawal-marked", plan.name))
            self._written(_Written(rewritten, plan))

    def send_shared(self, resources: list[JsonObject], shas: dict[str, str], plan: Plan) -> bool:
        """Send what a study shares with others, before it; return whether it is there.

        Args:
            resources: The resources that the target lacks.
            shas: Their digests, by id.
            plan: The study's.
        """
        self.journal.put_studies({plan.id: plan.before})
        failed = len(resources) + len(plan.puts)
        for refused, error in self._refused.items():
            if refused <= shas.keys():
                # One run asks once.
                self._tell(error, plan, failed)
                return False
        try:
            outcomes = self.target.write(resources)
        except Rejected as error:
            self._refused[frozenset(shas)] = error
            self._reject(error, plan, failed)
            return False
        self._written(_Written(outcomes, devices=shas))
        return True

    def _reject(self, error: Rejected, plan: Plan, resources: int) -> None:
        """Tell of a refusal, and count those that are the server's."""
        self._tell(error, plan, resources)
        if error.recovery is Recovery.BROKEN:
            self._broken.append(error)
        else:
            self._broken.clear()

    def _tell(self, error: Rejected, plan: Plan, resources: int) -> None:
        self.report.count("failed", resources)
        code = "server-failed" if error.recovery.is_passing else "rejected"
        self.report.troubles.append(Trouble(code, plan.name, str(error)))

    def _set_aside(self, error: Rejected, plan: Plan) -> None:
        """Set a study aside that is refused for good, unless the target holds something of it.

        What replaces or withdraws something is tried in every run: what no longer holds must not
        stand for good. What may pass stays due, too.
        """
        if not error.recovery.is_passing and not plan.replaces:
            answer = (error.status, error.server_code, self.now())
            letter = DeadLetter(plan.id, plan.row.sha, *answer, dropped=False, issues=error.issues)
            self.journal.dead.put(letter)

    def _give_up_if_broken(self) -> None:
        if len(self._broken) >= _BROKEN_IN_A_ROW:
            status = self._broken[-1].status
            raise RetriableError("target-busy", url=self.target.shown, status=status, wait="")

    def _written(self, one: _Written) -> None:
        self._unflushed.append(one)
        if self.target.at_once:
            self.acknowledge()

    def acknowledge(self) -> None:
        """Note what was written as acknowledged; the caller has made it durable."""
        rows = {}
        for one in self._unflushed:
            self.report.resources.update(one.outcomes)
            if one.devices:
                self.journal.put_devices(one.devices)
            if one.plan:
                rows[one.plan.id] = one.plan.row
        if rows:
            self.journal.acknowledge(rows)
        self._unflushed.clear()
