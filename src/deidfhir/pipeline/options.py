"""What a run is given: PATHs and context, target and journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deidfhir.errors import RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.sources import Reading, read_paths
from deidfhir.sync.timing import Stop, never

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

    def read(self) -> Reading:
        """Read the PATHs.

        Raises:
            UsageError: `path-missing`.
            RetriableError: `interrupted` or `deadline-over`.
        """
        return read_paths(self.paths, self.tell_read, self.workers)

    def tell_read(self, count: int) -> None:
        """Tell how many files were read; end the run if that is asked for.

        Raises:
            RetriableError: `interrupted` or `deadline-over`.
        """
        if self.progress is not None:
            self.progress("files read", count, 0)
        if code := self.stop():
            raise RetriableError(code)

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
