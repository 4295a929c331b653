"""The runs behind the commands: sync from a source to a report."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.pipeline.bundles import input_exit_code
from deidfhir.pipeline.foreign import OurTraces
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.source import Before, Changes
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.targets import TargetOptions, keep_names, lease_of, open_journal, prepare
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import Listing
from deidfhir.sync.report import SyncReport, worst
from deidfhir.sync.standing import Mode
from deidfhir.sync.target import Target
from deidfhir.sync.trust import is_trusted
from deidfhir.version import __version__
from deidfhir.web.events import Events
from deidfhir.web.timing import Clock, stops_after

_REFUSING = (
    *("partial-study", "duplicate-instance-differs", "existing-guarded", "existing-several"),
    *("existing-fails", "existing-marked"),
)


@dataclass(frozen=True, slots=True)
class SyncRun:
    """A finished sync.

    Args:
        work: What was read, refused and found.
        target: Where it went.
        report: What was done there.
        seconds: How long it took.
        dead: How many studies the journal has set aside now, and not given up; None if it fails.
    """

    work: SyncWork
    target: Target
    report: SyncReport
    seconds: float
    dead: int | None

    @property
    def sent(self) -> SyncReport:
        """What was sent."""
        return self.report

    @property
    def error(self) -> DeidFhirError | None:
        """What ended the run before its end, if anything did."""
        return self.report.error

    @property
    def refused(self) -> int:
        """How many studies were read and not stated: by the gate, or in view of others."""
        by_target = {one.name for one in self.report.troubles if one.code in _REFUSING}
        return len(by_target | {one.path for one in self.work.refusals})

    @property
    def exit_code(self) -> int:
        """The exit code of the run."""
        return worst(input_exit_code(self.work), self.report.exit_code)


def listing_of(reading: Reading) -> Listing:
    """Return how a run saw its source."""
    return Listing(
        reading.source,
        reading.missing_files(),
        reading.places,
        complete=reading.complete,
        whole=reading.whole,
        gone=reading.gone,
        hollow=reading.hollow,
    )


def run_sync(
    options: RunOptions,
    where: TargetOptions,
    *,
    dry_run: bool = False,
    confirmed: int = 0,
    full: bool = False,
) -> SyncRun:
    """Make a target state what the objects below some PATHs state.

    Args:
        options: PATHs, gate and context.
        where: Target and journal.
        dry_run: Whether only to read and to say what would be sent.
        confirmed: How many studies the operator says have vanished.
        full: Whether to open files that are as they were, too, and to ask the target about all.

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is not usable, or another target's.
        RetriableError: `target-held` or `journal-busy`: another run is under way.
    """
    options.source.require()
    target = where.open(options.context)
    prepare(target)
    clock = where.clock or Clock()
    options = replace(options, stop=stops_after(where.deadline, clock, options.stop))
    begun = clock.monotonic()
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(lease_of(where, target, options.context, clock.now()))
        journal = open_journal(
            where.journal, target, options.context, read_only=dry_run, rehearsed=dry_run
        )
        stack.callback(journal.close)
        full = full or _is_doubtful(journal, target)
        changes = options.source.changes(_before(options, journal, clock.now(), full=full))
        reading = changes.read(options.tell_read, options.workers)
        work = SyncWork(reading, options.context, remembers=True)
        tell_read(work, where.events)
        job = sync_job(options, where, target, journal, work)
        job = replace(job, dry_run=dry_run, confirmed=confirmed)
        report = job.run(work.units())
        keep_names(target, report)
        if not dry_run:
            _keep(changes, job, work)
        return SyncRun(work, target, report, clock.monotonic() - begun, _set_aside(journal))


def _before(options: RunOptions, journal: Journal, begun: float, *, full: bool) -> Before:
    """Return what is known of earlier runs."""
    by = f"{__version__} {options.context.digest}"
    return Before(journal, by, begun, full, options.context.namer.imaging_study)


def _keep(changes: Changes, job: SyncJob, work: SyncWork) -> None:
    """Let the journal know what need not be read again, also of a run that ended early."""
    report = job.report
    if report.error is None or isinstance(report.error, RetriableError):
        try:
            changes.keep(job.settled, work.told, is_done=report.error is None)
        except DeidFhirError as error:
            report.error = report.error or error


def sync_job(
    options: RunOptions, where: TargetOptions, target: Target, journal: Journal, work: SyncWork
) -> SyncJob:
    """Return the job that makes a target state what was read.

    Args:
        options: Context, progress and what may end the run.
        where: Clock and events.
        target: The target.
        journal: The target's.
        work: What was read.
    """
    return SyncJob(
        target=target,
        journal=journal,
        statements=OurStatements(work),
        traces=OurTraces(options.context),
        listing=listing_of(work.reading),
        clock=where.clock or Clock(),
        progress=options.tick("studies done", work),
        stop=options.stop,
        fate=options.context.settings.vanished,
        mode=Mode(options.context.settings.existing),
        events=where.events,
    )


def _is_doubtful(journal: Journal, target: Target) -> bool:
    """Whether others may have changed a target; what keeps it from telling, the job tells."""
    try:
        return not is_trusted(journal, target)
    except DeidFhirError:
        return True


def tell_read(work: Work, events: Events) -> None:
    """Tell what was read."""
    reading = work.reading
    counts = {"instances": reading.instances, "foreign": reading.foreign}
    studies = len(reading.fold) + len(reading.settled)
    events("read", studies=studies, skipped=len(reading.skipped), **counts)


def _set_aside(journal: Journal) -> int | None:
    try:
        return sum(not one.dropped for one in journal.dead.every())
    except DeidFhirError:
        return None  # what ended the run is in its report
