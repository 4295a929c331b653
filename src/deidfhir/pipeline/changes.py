"""PATHs → what has changed in them since they were read the last time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from deidfhir.pipeline.listing import Listing, Slice
from deidfhir.pipeline.resync import Resync
from deidfhir.pipeline.sources import Gathering, Reading, require_paths, source_of


def read_changed(
    paths: Iterable[Path],
    resync: Resync,
    id_of: Callable[[str], str],
    progress: Callable[[int], None] | None = None,
    workers: int = 1,
) -> Reading:
    """Read what has changed below some files and folders, and all that belongs to it.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        resync: Knows what earlier runs left settled.
        id_of: Study Instance UID → id of the ImagingStudy.
        progress: Called with the number of files looked at so far.
        workers: How many processes may read.

    Raises:
        UsageError: `path-missing`, before anything is read.
        FatalError: `worker-lost` or `spill-unwritable`.
    """
    given = tuple(paths)
    require_paths(given)
    run = Gathering(source_of(given), Listing(given), workers, progress)
    due: Iterable[Slice] = resync.changed(run.listing.slices(), run.look_at)
    while due:
        for one in run.read(due, signed=True):
            resync.opened(one, map(id_of, one.studies))
        due = [run.listing.again(one) for one in resync.more()]
    for part, row in resync.rows:
        run.count(part.key[0], row.objects, row.passed)
    run.reading.settled = resync.settled()
    return run.finished()
