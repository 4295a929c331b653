"""What a run is given: PATHs and context, target and journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deidfhir.errors import RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.resync import Resync
from deidfhir.pipeline.sources import (
    read_changed,
    read_paths,
    source_of,
)
from deidfhir.sync.timing import Stop, never
from deidfhir.version import __version__

if TYPE_CHECKING:
    from deidfhir.sync.journal import Journal

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how far it is, and how far it will go, or 0."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What map, sync and verify share.

    Args:
        paths: Files and folders.
        context: FHIR version, settings, policy and instant of recording.
        progress: Told of progress, if given.
        stop: Asked while files are read, and by a sync study by study, why to end the run.
        workers: How many processes may read files.
    """

    paths: tuple[Path, ...]
    context: MappingContext
    progress: Progress | None = None
    stop: Stop = never
    workers: int = 1

    def work(self, resync: Resync | None = None) -> Work:
        """Read the PATHs.

        Args:
            resync: Knows which files need not be opened again; without it, all are.

        Raises:
            UsageError: `path-missing`.
            RetriableError: `interrupted` or `deadline-over`.
        """

        def read(count: int) -> None:
            if self.progress is not None:
                self.progress("files read", count, 0)
            if code := self.stop():
                raise RetriableError(code)

        if resync is None:
            return Work(read_paths(self.paths, read, self.workers), self.context)
        id_of = self.context.namer.imaging_study
        reading = read_changed(self.paths, resync, id_of, read, self.workers)
        return Work(reading, self.context, remembers=True)

    def resync(self, journal: Journal, begun: float, *, full: bool) -> Resync:
        """Return what knows which files need not be opened again.

        Args:
            journal: The target's.
            begun: When the run began, in seconds since the epoch.
            full: Whether to read all files nevertheless.
        """
        by = f"{__version__} {self.context.digest}"
        source = source_of(self.paths).source
        return Resync(journal.settled, source, by, int(begun * 1e9), full)

    def tick(self, what: str, work: Work) -> Callable[[int], None] | None:
        """Return what a room calls with its own count of a work's studies."""
        progress, total = self.progress, len(work.reading.fold) + len(work.reading.settled)
        if progress is None:
            return None

        def tick(count: int) -> None:
            done = count + work.passed_over
            # Studies that vanished from their source are done beside those that were read.
            progress(what, done, max(done, total))

        return tick
