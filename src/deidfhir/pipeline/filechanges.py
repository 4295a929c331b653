"""Files and folders → what has changed in them since they were read the last time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deidfhir.containers.limits import DEFAULT, Limits
from deidfhir.pipeline.files import Gathering, require_paths, source_of
from deidfhir.pipeline.listing import Listing, Slice
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.resync import Resync
from deidfhir.pipeline.source import Tell
from deidfhir.pipeline.told import Told
from deidfhir.sync.settled import Settled


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What has changed below some files and folders.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        resync: Knows what earlier runs left settled.
        id_of: Study Instance UID → id of the ImagingStudy.
        limits: What files that hold others are refused beyond.
    """

    paths: tuple[Path, ...]
    resync: Resync
    id_of: Callable[[str], str]
    limits: Limits = DEFAULT

    def read(self, tell: Tell | None, workers: int = 1) -> Reading:
        """Read what has changed, and all that belongs to it.

        Args:
            tell: Called with the number of files looked at so far.
            workers: How many processes may read.

        Raises:
            UsageError: `path-missing`, before anything is read.
            FatalError: `worker-lost` or `spill-unwritable`.
        """
        require_paths(self.paths)
        resync = self.resync
        run = Gathering(source_of(self.paths), Listing(self.paths), workers, tell, self.limits)
        due: Iterable[Slice] = resync.changed(run.listing.slices(), run.look_at)
        while due:
            for one in run.read(due, signed=True):
                resync.opened(one, map(self.id_of, one.studies))
            due = [run.listing.again(one) for one in resync.more()]
        for part, row in resync.rows:
            run.count(part.key[0], row.objects, row.passed)
        run.reading.settled = resync.settled()
        return run.finished()

    def keep(
        self, settled: Mapping[str, Settled], told: Mapping[str, Told], *, is_done: bool
    ) -> None:
        """Let the journal know which files need not be opened again, also before the end."""
        del is_done
        self.resync.keep(settled, told)
