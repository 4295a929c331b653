"""The runs behind the commands: map and sync from PATHs to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from deidfhir.errors import DeidFhirError, RetriableError, SkippableError
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.foreign import OurTraces
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.sources import Reading, read_paths, require_paths
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.targets import keep_names, lease_of, open_journal, open_target, prepare
from deidfhir.sync.events import Events
from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal
from deidfhir.sync.report import SyncReport, worst
from deidfhir.sync.standing import Mode
from deidfhir.sync.target import Target
from deidfhir.sync.timing import CONNECTIONS, DEFAULT_TIMEOUT, Clock, Stop, never, stops_after
from deidfhir.sync.unit import Listing

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how far it is, and how far it will go, or 0."""

_REFUSING = (
    *("partial-study", "duplicate-instance-differs", "existing-guarded", "existing-several"),
    *("existing-fails", "existing-marked"),
)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What map, sync and verify share.

    Args:
        paths: Files and folders.
        context: FHIR version, settings, policy and instant of recording.
        progress: Told of progress, if given.
        stop: Asked file by file, and by a sync study by study, why to end the run.
    """

    paths: tuple[Path, ...]
    context: MappingContext
    progress: Progress | None = None
    stop: Stop = never

    def work(self) -> Work:
        """Read the PATHs.

        Raises:
            UsageError: `path-missing`.
            RetriableError: `interrupted` or `deadline-over`.
        """

        def read(count: int) -> None:
            if self.progress is not None:
                self.progress("files read", count, 0)
            if code := self.stop():
                raise RetriableError(code)

        return Work(read_paths(self.paths, read), self.context)

    def tick(self, what: str, work: Work) -> Callable[[int], None] | None:
        """Return what a room calls with its own count of a work's studies."""
        progress, total = self.progress, len(work.reading.fold)
        if progress is None:
            return None

        def tick(count: int) -> None:
            done = count + work.passed_over
            # Studies that vanished from their source are done beside those that were read.
            progress(what, done, max(done, total))

        return tick


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Where a run sends or reads.

    Args:
        to: A FHIR base URL or a folder.
        journal: The journal's file; None for the default.
        timeout: Seconds for one request with all its repetitions.
        deadline: Seconds for a whole sync; None for as long as it takes.
        connections: Requests under way at most.
        clock: The time.
        events: Told of what happens.
    """

    to: str
    journal: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    deadline: float | None = None
    connections: int = CONNECTIONS
    clock: Clock | None = None
    events: Events = field(default_factory=Events)

    def open(self, context: MappingContext) -> Target:
        """Return the target.

        Raises:
            UsageError: `target-form` or `target-is-file`.
        """
        given = (self.to, context, self.timeout, self.clock)
        return open_target(*given, connections=self.connections, events=self.events)


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

    work: Work
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


def input_exit_code(work: Work) -> int:
    """Return the exit code that refusals and skipped files call for."""
    return SkippableError.exit_code if work.refusals or work.reading.skipped else 0


def run_map(options: RunOptions) -> tuple[Work, Iterator[JsonObject]]:
    """Return what was read, and one transaction Bundle a study that is not refused.

    Args:
        options: PATHs and context; the order of the PATHs changes nothing.

    Raises:
        UsageError: `path-missing`.
    """
    work = options.work()
    return work, (one.bundle() for _, one in work.mapped() if one is not None)


def listing_of(reading: Reading) -> Listing:
    """Return how a run saw its source."""
    return Listing(
        reading.source,
        reading.missing_files(),
        reading.places,
        of_folders=reading.of_folders,
        hollow=reading.hollow,
    )


def run_sync(
    options: RunOptions, where: TargetOptions, *, dry_run: bool = False, confirmed: int = 0
) -> SyncRun:
    """Make a target state what the objects below some PATHs state.

    Args:
        options: PATHs, gate and context.
        where: Target and journal.
        dry_run: Whether only to read and to say what would be sent.
        confirmed: How many studies the operator says have vanished.

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is not usable, or another target's.
        RetriableError: `target-held` or `journal-busy`: another run is under way.
    """
    require_paths(options.paths)
    target = where.open(options.context)
    prepare(target)
    clock = where.clock or Clock()
    options = replace(options, stop=stops_after(where.deadline, clock, options.stop))
    begun = clock.monotonic()
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(lease_of(where.journal, target, options.context, clock.now()))
        journal = open_journal(
            where.journal, target, options.context, read_only=dry_run, rehearsed=dry_run
        )
        stack.callback(journal.close)
        work = options.work()
        tell_read(work, where.events)
        job = SyncJob(
            target=target,
            journal=journal,
            statements=OurStatements(work),
            traces=OurTraces(options.context),
            listing=listing_of(work.reading),
            dry_run=dry_run,
            clock=clock,
            progress=options.tick("studies done", work),
            stop=options.stop,
            fate=options.context.settings.vanished,
            confirmed=confirmed,
            mode=Mode(options.context.settings.existing),
            events=where.events,
        )
        report = job.run(work.units())
        keep_names(target, report)
        return SyncRun(work, target, report, clock.monotonic() - begun, _set_aside(journal))


def tell_read(work: Work, events: Events) -> None:
    """Tell what was read."""
    reading = work.reading
    counts = {"instances": reading.instances, "foreign": reading.foreign}
    events("read", studies=len(reading.fold), skipped=len(reading.skipped), **counts)


def _set_aside(journal: Journal) -> int | None:
    try:
        return sum(not one.dropped for one in journal.dead.every())
    except DeidFhirError:
        return None  # what ended the run is in its report
