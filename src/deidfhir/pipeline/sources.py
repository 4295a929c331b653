"""PATHs → studies: which files are objects, which are skipped for cause, which are foreign."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deidfhir.errors import FatalError, UsageError
from deidfhir.model.finding import Finding
from deidfhir.model.study import Studies, Study, StudyFold
from deidfhir.pipeline.listing import Listing, Slice, absolute, digest
from deidfhir.pipeline.slices import BatchRead, SliceRead
from deidfhir.pipeline.spill import Spill
from deidfhir.pipeline.workers import read_all

if TYPE_CHECKING:
    from deidfhir.pipeline.told import Told
    from deidfhir.sync.settled import Settled


@dataclass(slots=True)
class Reading:
    """All that was read from some PATHs.

    Args:
        source: Names the PATHs as one source, for the journal (D19).
        places: The PATHs, absolute.
        fold: The instances, by study.
        instances: How many objects were read, copies included.
        skipped: What was skipped for cause.
        foreign: How many files are no DICOM at all.
        doubtful: Foreign files that may have been objects once: empty, or not to be opened.
        of_folders: Whether all PATHs are folders.
        hollow: Whether below one of the PATHs there is no object.
        settled: Studies that were not read, since nothing has changed, with what is told of them.
    """

    source: str
    places: tuple[str, ...] = ()
    fold: Studies = field(default_factory=StudyFold)
    instances: int = 0
    skipped: list[Finding] = field(default_factory=list)
    foreign: int = 0
    doubtful: list[str] = field(default_factory=list)
    of_folders: bool = False
    hollow: bool = False
    settled: list[tuple[Settled, Told]] = field(default_factory=list)

    @property
    def studies(self) -> Iterator[Study]:
        """The studies, sorted by Study Instance UID."""
        return iter(self.fold)

    def missing_files(self) -> frozenset[str]:
        """Return which files may hold an object that was not read, each as a digest."""
        named = (*(one.path for one in self.skipped), *self.doubtful)
        return frozenset(digest(absolute(Path(one))) for one in named)


def require_paths(paths: Iterable[Path]) -> None:
    """Require that every PATH is there, before anything is read or written.

    Raises:
        UsageError: `path-missing`.
    """
    for path in paths:
        try:
            path.stat()
        except (OSError, ValueError) as error:
            raise UsageError("path-missing", path=path) from error


def read_paths(
    paths: Iterable[Path], progress: Callable[[int], None] | None = None, workers: int = 1
) -> Reading:
    """Read every object below some files and folders.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        progress: Called with the number of files looked at so far.
        workers: How many processes may read.

    Raises:
        UsageError: `path-missing`, before anything is read.
        FatalError: `worker-lost` or `spill-unwritable`.
    """
    given = tuple(paths)
    require_paths(given)
    run = Gathering(source_of(given), Listing(given), workers, progress)
    for _ in run.read(run.listing.slices(), signed=False):
        pass
    return run.finished()


@dataclass(slots=True)
class Gathering:
    """Reads slices into a reading.

    Args:
        reading: The reading, to be filled.
        listing: Gives the slices.
        workers: How many processes may read.
        progress: Called with the number of files looked at so far.
    """

    reading: Reading
    listing: Listing
    workers: int = 1
    progress: Callable[[int], None] | None = None
    _spill: Spill = field(default_factory=Spill, init=False)
    _holding: set[str] = field(default_factory=set, init=False)
    _files: int = field(default=0, init=False)

    def read(self, slices: Iterable[Slice], *, signed: bool) -> Iterator[SliceRead]:
        """Read slices; yield each once its records are kept."""
        for batch in self._batches(slices, signed=signed):
            for uid, record in batch.records.items():
                self._spill.add(uid, record)
            for one in batch.slices:
                self.reading.skipped += one.skipped
                self.reading.doubtful += one.doubtful
                self.count(one.key[0], one.objects, one.foreign)
                yield one
            self.look_at(batch.files)

    def _batches(self, slices: Iterable[Slice], *, signed: bool) -> Iterator[BatchRead]:
        try:
            yield from read_all(slices, self.workers, signed=signed)
        except FatalError:
            # Whoever ends a run may have ended its processes with it: that is no fault.
            self.look_at(0)
            raise

    def look_at(self, files: int) -> None:
        """Tell how many more files were looked at."""
        self._files += files
        if self.progress:
            self.progress(self._files)

    def finished(self) -> Reading:
        """Return what was read."""
        reading, listing = self.reading, self.listing
        reading.fold = self._spill
        reading.skipped = [*listing.skipped, *reading.skipped]
        reading.foreign += listing.foreign
        reading.hollow = any(_is_hollow(one, self._holding) for one in listing.paths)
        return reading

    def count(self, place: str, objects: int, foreign: int) -> None:
        """Count what a slice holds, opened or not.

        Args:
            place: Its folder.
            objects: How many objects.
            foreign: How many other files.
        """
        self.reading.instances += objects
        self.reading.foreign += foreign
        if objects:
            self._holding.add(place)


def source_of(paths: tuple[Path, ...]) -> Reading:
    """Return the reading of some PATHs before anything was read.

    Args:
        paths: Files and folders.
    """
    places = tuple(sorted({absolute(one) for one in paths}))
    shown = tuple(os.fsencode(one).decode("utf-8", "backslashreplace") for one in places)
    reading = Reading(digest("\n".join(places)), shown)
    reading.of_folders = all(path.is_dir() for path in paths)
    return reading


def _is_hollow(path: Path, holding: set[str]) -> bool:
    """Whether there is no object at or below a PATH."""
    place = absolute(path)
    if not path.is_dir():
        # Where its folder is a PATH, too, it was listed with that.
        return not {place, os.path.join(os.path.dirname(place), "")} & holding  # noqa: PTH118, PTH120
    inside = os.path.join(place, "")  # noqa: PTH118
    return not any(one.startswith(inside) for one in holding)
