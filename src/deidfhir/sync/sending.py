"""Plans → transactions: several studies at a time; the one that is refused is found by halving."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.sync.comparing import comparable, digest
from deidfhir.sync.crew import Crew
from deidfhir.sync.journal import Journal
from deidfhir.sync.packing import packed
from deidfhir.sync.plan import Plan
from deidfhir.sync.refusals import Refusals
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.shared import Shared
from deidfhir.sync.target import Target
from deidfhir.sync.unit import Statements
from deidfhir.web.events import Events, about
from deidfhir.web.outcome import Rejected
from deidfhir.web.timing import Stop

_GONE = (404, 410)
_MOST_PLANS = 4
"""How often a study is planned in one run that others keep changing meanwhile."""


@dataclass(slots=True)
class _Sent:
    """A transaction under way."""

    plans: list[Plan]
    outcomes: Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written, and whose rows the journal must hold once it is durable."""

    outcomes: list[str]
    plans: list[Plan] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Sender:
    """Sends plans and keeps the journal true to what came of them.

    Transactions are under way on several connections; what came of them is looked at in the order
    in which they were sent, so that a run's report does not depend on which was first.

    Args:
        target: A server or a folder.
        journal: The target's journal: what is sent stands in it before, acknowledged after.
        statements: What must be known of statements.
        report: Counts what is done.
        shared: What studies share, and must be there before them.
        refusals: What is refused.
        stop: Asked before each transaction why to end the run.
        events: Told of what comes of each study.
        acknowledged: Called with each plan of which the target has taken all.
    """

    target: Target
    journal: Journal
    statements: Statements
    report: SyncReport
    shared: Shared
    refusals: Refusals
    stop: Stop
    events: Events = field(default_factory=Events)
    acknowledged: Callable[[Plan], None] = lambda _: None
    stale: list[Plan] = field(default_factory=list, init=False)
    """Plans that others have changed the target under; the caller plans them anew."""

    _under_way: deque[_Sent] = field(default_factory=deque, init=False)
    _unflushed: list[_Written] = field(default_factory=list, init=False)
    _refused: dict[frozenset[str], Rejected] = field(default_factory=dict, init=False)
    _unchanged: Counter[str] = field(default_factory=Counter, init=False)
    _outdated: Counter[str] = field(default_factory=Counter, init=False)

    @property
    def crew(self) -> Crew:
        """As many connections as the target takes, once it was asked what it is."""
        return Crew(self.target.connections if self.target.at_once else 1)

    def send(self, plans: Iterable[Plan]) -> None:
        """Send plans, as many in one transaction as the target takes.

        What came of the last ones may be known only when more are sent, or after `finish`.
        """
        ready = [plan for plan in plans if self._shared_is_there(plan)]
        for plan in ready:
            # It may be planned several times.
            self.report.count("unchanged", max(0, plan.unchanged - self._unchanged[plan.id]))
            self._unchanged[plan.id] = plan.unchanged
        self._note(_Written([], [plan for plan in ready if plan.is_done]))
        for group in packed([plan for plan in ready if not plan.is_done], self.target.limits):
            self._begin(group)
            self._take_until(self.crew.size if self.crew.begins_at_once else 0)
        if not self.target.at_once:
            self.target.flush()
            self._acknowledge(self._unflushed)
            self._unflushed.clear()
        self.refusals.give_up()

    def finish(self) -> None:
        """Wait for what is under way."""
        self._take_until(0)

    def abandon(self) -> None:
        """Wait for what is under way and note what was written; begin nothing more."""
        while self._under_way:
            sent = self._under_way.popleft()
            if self.crew.begins_at_once:
                try:
                    self._written(sent.plans, sent.outcomes())
                except DeidFhirError:
                    continue  # the run has an error already; these studies stay due

    def taken_stale(self) -> list[Plan]:
        """Return what must be planned anew, once."""
        taken, self.stale = self.stale, []
        return taken

    def _begin(self, plans: list[Plan], *, first: bool = False) -> None:
        self._require_going_on()
        self.journal.put_studies({plan.id: plan.before for plan in plans})
        puts = [one for plan in plans for one in plan.puts]
        deletes = [one for plan in plans for one in plan.deletes]
        versions = {name: one for plan in plans for name, one in plan.versions.items()}
        for plan in plans:
            self.events("planned", study=plan.id, puts=len(plan.puts), deletes=len(plan.deletes))
        write = about(
            (plan.id for plan in plans), partial(self.target.write, puts, deletes, versions)
        )
        sent = _Sent(plans, self.crew.begin(write))
        if first:
            self._under_way.appendleft(sent)
        else:
            self._under_way.append(sent)

    def _require_going_on(self) -> None:
        if code := self.stop():
            raise RetriableError(code)

    def _take_until(self, left: int) -> None:
        while len(self._under_way) > left:
            if not self.crew.begins_at_once:
                self._require_going_on()
            sent = self._under_way.popleft()
            try:
                outcomes = sent.outcomes()
            except Rejected as error:
                self._handle(error, sent.plans)
            else:
                self.refusals.none()
                self._written(sent.plans, outcomes)

    def _handle(self, error: Rejected, plans: list[Plan]) -> None:
        if len(plans) == 1:
            self._handle_alone(error, plans[0])
            return
        if error.recovery.is_outdated and not any(self._outdated[plan.id] for plan in plans):
            # Perhaps by our own write, whose answer was lost.
            for plan in plans:
                self._plan_anew(plan)
            return
        # All or nothing was written: nothing. Which of them is it?
        middle = len(plans) // 2
        self._begin(plans[middle:], first=True)
        self._begin(plans[:middle], first=True)

    def _handle_alone(self, error: Rejected, plan: Plan) -> None:
        """Handle the refusal of a single study."""
        outdated = error.recovery.is_outdated
        if plan.deletes and error.status in _GONE:
            outdated = True  # someone else has deleted some of it
        refuses = error.may_be_of_deletion or (outdated and plan.instead is not None)
        if outdated and self._outdated[plan.id] < _MOST_PLANS - 1:
            # Another write was at it, perhaps our own, whose answer was lost: look what is there.
            self._plan_anew(plan)
        elif not (plan.deletes and refuses):
            self.refusals.note(error, plan, len(plan.puts))
            self.refusals.set_aside(error, plan)
            self.refusals.give_up()
        elif plan.instead is not None:
            self._do_instead(plan, plan.instead, error)
        else:
            self._mark_instead(plan)

    def _plan_anew(self, plan: Plan) -> None:
        """Let a study be planned anew, and all that it refers to be looked up."""
        self._outdated[plan.id] += 1
        self.events("outdated", study=plan.id)
        self.shared.forget(plan.shared)
        self.stale.append(plan)

    def _do_instead(self, plan: Plan, instead: Plan, error: Rejected) -> None:
        """Do what is done where a study that has vanished may not be deleted (D20)."""
        self.report.troubles.append(Trouble("deletion-refused", plan.name, str(error)))
        if instead.is_done:
            self._note(_Written([], [instead]))
        else:
            self._begin([instead], first=True)

    def _mark_instead(self, plan: Plan) -> None:
        """Overwrite and mark what should go: some servers refuse deletion (D18)."""
        marked = [self.statements.withdrawn_provenance(one) for one in plan.stale]
        if plan.gone:
            marked.append(self.statements.withdrawn_patient(plan.gone))
        if plan.dropped:
            marked.append(self.statements.withdrawn_study(plan.dropped))
        puts = [*plan.puts, *marked]
        try:
            rewritten = self.target.write(puts, (), plan.versions)
        except Rejected as error:
            self.refusals.note(error, plan, len(puts))
            self.refusals.give_up()
        else:
            self._note(_Written(rewritten, [plan]))
            self.report.troubles.append(Trouble("withdrawal-marked", plan.name))

    def _shared_is_there(self, plan: Plan) -> bool:
        """Send what a study shares with others before it; return whether it is there."""
        due = self.shared.due(plan.shared)
        if not due:
            return True
        self._require_going_on()
        self.journal.put_studies({plan.id: plan.before})
        shas = {one["id"]: digest(comparable(one)) for one in due}
        failed = len(due) + len(plan.puts)
        for refused, error in self._refused.items():
            if refused <= shas.keys():
                # One run asks once.
                self.refusals.tell(error, plan, failed)
                return False
        try:
            outcomes = self.target.write(due)
        except Rejected as error:
            self._refused[frozenset(shas)] = error
            self.refusals.note(error, plan, failed)
            self.refusals.count_place(error, plan)
            return False
        self.shared.count(due)
        self._note(_Written(outcomes, devices=shas))
        return True

    def _written(self, plans: list[Plan], outcomes: list[str]) -> None:
        """Note a transaction as written, in which deletions come after what is put."""
        deleted = ["deleted"] * sum(len(plan.deletes) for plan in plans)
        self._note(_Written(outcomes + deleted, plans))

    def _note(self, written: _Written) -> None:
        """Acknowledge what was written, at once if it is durable."""
        if self.target.at_once:
            self._acknowledge([written])
        else:
            self._unflushed.append(written)

    def _acknowledge(self, done: list[_Written]) -> None:
        for one in done:
            self.report.resources.update(one.outcomes)
            if one.devices:
                self.journal.put_devices(one.devices)
        plans = [plan for one in done for plan in one.plans]
        for plan in plans:
            self.report.count_fate(plan.fate, plan.name)
            # Planned anew and done: it was our own write of which nobody heard.
            unheard = plan.row.state == "refused" and self._outdated[plan.id] > 0
            if plan.withdraws or unheard:
                self.report.count_withdrawal(plan.name)
                self.events("withdrawn", study=plan.id)
        if rows := {plan.id: plan.row for plan in plans}:
            self.journal.acknowledge(rows)
            for plan in plans:
                self.acknowledged(plan)
                self.events("acknowledged", study=plan.id)
