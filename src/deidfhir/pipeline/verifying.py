"""The run behind verify: read back and compare; on request, send again what differs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from deidfhir.errors import DeidFhirError
from deidfhir.pipeline.bundles import input_exit_code
from deidfhir.pipeline.foreign import OurTraces
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import listing_of, sync_job, tell_read
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.targets import TargetOptions, keep_names, lease_of, open_journal, prepare
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.journal import Journal
from deidfhir.sync.report import SyncReport, worst
from deidfhir.sync.standing import Mode
from deidfhir.sync.sweep import sweep_of
from deidfhir.sync.target import Target
from deidfhir.sync.verify import VerifyJob, VerifyReport
from deidfhir.web.timing import Clock


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done about the differences.

    Args:
        sent: What the sync did.
        after: What differed after it.
    """

    sent: SyncReport
    after: VerifyReport

    @property
    def exit_code(self) -> int:
        """The exit code that the repair calls for."""
        return worst(self.sent.exit_code, self.after.exit_code)


@dataclass(frozen=True, slots=True)
class VerifyRun:
    """A finished verification.

    Args:
        work: What was read, refused and found.
        target: What was read back.
        report: What differs, before any repair.
        seconds: How long it took.
        repair: What was done about it, where that was asked for and something was to be done.
    """

    work: SyncWork
    target: Target
    report: VerifyReport
    seconds: float
    repair: Repair | None = None

    @property
    def sent(self) -> SyncReport | None:
        """What was sent to repair, if anything was."""
        return None if self.repair is None else self.repair.sent

    @property
    def error(self) -> DeidFhirError | None:
        """What ended the run before its end, if anything did."""
        if self.repair is None:
            return self.report.error
        return self.repair.sent.error or self.repair.after.error

    @property
    def exit_code(self) -> int:
        """The exit code of the run."""
        told = self.repair or self.report
        return worst(input_exit_code(self.work), told.exit_code)


def run_verify(options: RunOptions, where: TargetOptions, *, repair: bool = False) -> VerifyRun:
    """Compare a target with what the objects below some PATHs state.

    Args:
        options: PATHs, gate and context.
        where: Target and journal.
        repair: Whether what differs is sent again at once; without it nothing is written.

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is another target's, or to be written and not usable.
        RetriableError: With `repair`: `target-held` or `journal-busy`: a sync is under way.
    """
    options.source.require()
    target = where.open(options.context)
    prepare(target)
    clock = where.clock or Clock()
    begun = clock.monotonic()
    with ExitStack() as stack:
        if repair:
            stack.enter_context(lease_of(where, target, options.context, clock.now()))
        journal = open_journal(where.journal, target, options.context, read_only=not repair)
        stack.callback(journal.close)
        work = SyncWork(options.read(), options.context)
        tell_read(work, where.events)
        report = _compared(options, target, journal, work)
        if not repair or report.error or not report.differences:
            return VerifyRun(work, target, report, clock.monotonic() - begun)
        journal.make_due(report.studies, report.shared)
        anew = SyncWork(work.reading, work.context)
        sent = _sent(options, target, journal, anew, where)
        after = _compared(options, target, journal, SyncWork(work.reading, work.context))
        done = Repair(sent, after)
        return VerifyRun(work, target, report, clock.monotonic() - begun, done)


def _compared(
    options: RunOptions, target: Target, journal: Journal, work: SyncWork
) -> VerifyReport:
    sweep = sweep_of(listing_of(work.reading), journal, options.context.settings.vanished)
    tick = options.tick("studies compared", work)
    statements, traces = OurStatements(work), OurTraces(options.context)
    mode = Mode(options.context.settings.existing)
    job = VerifyJob(target, statements, traces, journal, sweep, mode, tick)
    return job.run(work.read_units())


def _sent(
    options: RunOptions, target: Target, journal: Journal, work: SyncWork, where: TargetOptions
) -> SyncReport:
    job = sync_job(options, where, target, journal, work)
    report = job.run(work.units())
    keep_names(target, report)
    return report
