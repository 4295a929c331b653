"""What is refused: told, set aside, and seen for what it is when it is the server's doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.comparing import digest
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal
from deidfhir.sync.plan import Plan
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.web.events import Events
from deidfhir.web.outcome import Rejected
from deidfhir.web.recovery import Recovery

_NOWHERE_IN_A_ROW = 3
_BROKEN_IN_A_ROW = 10
"""After so many studies in a row it is the server, not the studies."""


def sha_of(plan: Plan) -> str:
    """Return the digest of what is refused: what someone else's holds may be the cause, too.

    Args:
        plan: What was refused, or would be.
    """
    theirs = sorted(
        f"{name} {version}"
        for name, version in plan.versions.items()
        if name.startswith("ImagingStudy/") and name != f"ImagingStudy/{plan.id}"
    )
    return digest(plan.row.sha, *theirs) if theirs else plan.row.sha


@dataclass(slots=True)
class Refusals:
    """The refusals of a run.

    Args:
        shown: How the target is named in messages.
        journal: Keeps what is set aside.
        report: Tells of each.
        now: Gives the instant for what is set aside.
        events: Told of each.
    """

    shown: str
    journal: Journal
    report: SyncReport
    now: Callable[[], str]
    events: Events = field(default_factory=Events)
    _broken: list[Rejected] = field(default_factory=list, init=False)
    _nowhere: list[str] = field(default_factory=list, init=False)
    _accepted: bool = field(default=False, init=False)

    def none(self) -> None:
        """Note that the server carried something out."""
        self._broken.clear()
        self._accepted = True

    def tell(self, error: Rejected, plan: Plan, resources: int) -> None:
        """Tell of a refusal.

        Args:
            error: The refusal.
            plan: What was refused.
            resources: How many resources are not written for it.
        """
        self.report.count("failed", resources)
        told = {"study": plan.id, "cause": error.recovery.value, "server_code": error.server_code}
        self.events("refused", status=error.status, **told)
        code = "server-failed" if error.recovery.is_passing else "rejected"
        if error.recovery is Recovery.AMBIGUOUS:
            code = "ambiguous-resource"
        self.report.troubles.append(Trouble(code, plan.name, str(error)))

    def note(self, error: Rejected, plan: Plan, resources: int) -> None:
        """Tell of a refusal, and count those that are the server's; `give_up` looks at them."""
        self.tell(error, plan, resources)
        if error.recovery is Recovery.BROKEN:
            self._broken.append(error)
            self.journal.broken.put(plan.id)
        else:
            self._broken.clear()

    def set_aside(self, error: Rejected, plan: Plan) -> None:
        """Set a study aside that is refused for good, unless the target holds something of it.

        What replaces or withdraws something is tried in every run: what no longer holds must not
        stand for good. What may pass stays due, too.

        Raises:
            FatalError: `no-transactions`: it takes nothing of what is sent there.
        """
        self.count_place(error, plan)
        if error.recovery.is_passing:
            return
        self.journal.broken.take_away((plan.id,))
        if plan.replaces:
            return
        answer = (error.status, error.server_code, self.now())
        letter = DeadLetter(plan.id, sha_of(plan), *answer, dropped=False, issues=error.issues)
        self.journal.dead.put(letter)
        self.events("set-aside", study=plan.id)

    def count_place(self, error: Rejected, plan: Plan) -> None:
        """Count a refusal that may be of the place and not of what is sent there.

        Args:
            error: The refusal of a study, or of what it shares with others.
            plan: The study's.

        Raises:
            FatalError: `no-transactions`: nothing went through, either.
        """
        if error.recovery is Recovery.PLACE and not self._accepted:
            self._nowhere.append(plan.id)
            if len(self._nowhere) >= _NOWHERE_IN_A_ROW:
                self.journal.dead.take_away(self._nowhere)
                raise FatalError("no-transactions", url=self.shown, status=error.status)

    def give_up(self) -> None:
        """End the run if it is the server that breaks.

        Raises:
            RetriableError: `target-busy`.
        """
        if len(self._broken) >= _BROKEN_IN_A_ROW:
            status = self._broken[-1].status
            raise RetriableError("target-busy", url=self.shown, status=status, wait="")
