"""What a run is given: its source and context, what it tells and what may end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deidfhir.errors import RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.source import Source
from deidfhir.web.timing import Stop, never

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how far it is, and how far it will go, or 0."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What map, sync and verify share.

    Args:
        source: Where studies come from.
        context: FHIR version, settings, policy and instant of recording.
        progress: Told of progress, if given.
        stop: Asked while files are read, and by a sync study by study, why to end the run.
        workers: How many processes may read files.
    """

    source: Source
    context: MappingContext
    progress: Progress | None = None
    stop: Stop = never
    workers: int = 1

    def read(self) -> Reading:
        """Read all of the source.

        Raises:
            UsageError: `path-missing`.
            RetriableError: `interrupted` or `deadline-over`.
        """
        return self.source.read(self.tell_read, self.workers)

    def tell_read(self, count: int) -> None:
        """Tell how many things were read; end the run if that is asked for.

        Raises:
            RetriableError: `interrupted` or `deadline-over`.
        """
        if self.progress is not None:
            self.progress(self.source.counted, count, 0)
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
