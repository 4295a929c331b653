"""Files and folders as a source: which files are objects, skipped for cause, or foreign."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

from deidfhir.containers.limits import DEFAULT, Limits
from deidfhir.containers.names import container_kind
from deidfhir.dicom.directory import is_named_directory
from deidfhir.errors import FatalError, UsageError
from deidfhir.pipeline.listing import Listing, Slice, absolute, digest
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.records import BatchRead, SliceRead
from deidfhir.pipeline.source import Before, Changes, Tell
from deidfhir.pipeline.spill import Spill
from deidfhir.pipeline.workers import read_all


@dataclass(frozen=True, slots=True)
class Files:
    """Files and folders.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        limits: What files that hold others are refused beyond.
    """

    paths: tuple[Path, ...]
    limits: Limits = DEFAULT
    counted: ClassVar[str] = "files read"

    def require(self) -> None:
        """Require that every PATH is there.

        Raises:
            UsageError: `path-missing`.
        """
        require_paths(self.paths)

    def read(self, tell: Tell, workers: int) -> Reading:
        """Read every object below the PATHs."""
        return read_paths(self.paths, tell, workers, self.limits)

    def changes(self, before: Before) -> Changes:
        """Return what reads only files that are new or have changed."""
        from deidfhir.pipeline.filechanges import FileChanges  # noqa: PLC0415 - of a sync alone
        from deidfhir.pipeline.resync import Resync  # noqa: PLC0415

        source, begun = source_of(self.paths).source, int(before.begun * 1e9)
        resync = Resync(before.journal.settled, source, before.by, begun, before.full)
        return FileChanges(self.paths, resync, before.id_of, self.limits)


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
    paths: Iterable[Path],
    progress: Callable[[int], None] | None = None,
    workers: int = 1,
    limits: Limits = DEFAULT,
) -> Reading:
    """Read every object below some files and folders.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        progress: Called with the number of files looked at so far.
        workers: How many processes may read.
        limits: What files that hold others are refused beyond.

    Raises:
        UsageError: `path-missing`, before anything is read.
        FatalError: `worker-lost` or `spill-unwritable`.
    """
    given = tuple(paths)
    require_paths(given)
    run = Gathering(source_of(given), Listing(given), workers, progress, limits)
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
        limits: What files that hold others are refused beyond.
    """

    reading: Reading
    listing: Listing
    workers: int = 1
    progress: Callable[[int], None] | None = None
    limits: Limits = DEFAULT
    _spill: Spill = field(default_factory=Spill, init=False)
    _holding: set[str] = field(default_factory=set, init=False)
    _files: int = field(default=0, init=False)

    def read(self, slices: Iterable[Slice], *, signed: bool) -> Iterator[SliceRead]:
        """Read slices; yield each once its records are kept."""
        for batch in self._batches(slices, signed=signed):
            for uid, record in batch.records:
                self._spill.add(uid, record)
            for one in batch.slices:
                self.reading.skipped += one.skipped
                self.reading.doubtful += one.doubtful
                self.reading.inside.update(one.inside)
                self.count(one.key[0], one.objects, one.foreign)
                yield one
            self.look_at(batch.files)

    def _batches(self, slices: Iterable[Slice], *, signed: bool) -> Iterator[BatchRead]:
        try:
            yield from read_all(
                slices,
                self.workers,
                signed=signed,
                limits=self.limits,
                pulse=partial(self.look_at, 0),
            )
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
        reading.findings = [*listing.findings, *reading.findings]
        reading.inside |= listing.inside
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
    reading.complete = all(path.is_dir() or _is_listed_whole(path.name) for path in paths)
    return reading


def _is_listed_whole(name: str) -> bool:
    """Whether a file lists all that there is, as a folder does: a container, or a DICOMDIR."""
    return bool(container_kind(name)) or is_named_directory(name)


def _is_hollow(path: Path, holding: set[str]) -> bool:
    """Whether there is no object at or below a PATH."""
    place = absolute(path)
    if is_named_directory(path.name) and not path.is_dir():
        place = os.path.dirname(place)  # noqa: PTH120
    elif not path.is_dir():
        # Where its folder is a PATH, too, it was listed with that.
        return not {place, os.path.join(os.path.dirname(place), "")} & holding  # noqa: PTH118, PTH120
    inside = os.path.join(place, "")  # noqa: PTH118
    return not any(one.startswith(inside) for one in holding)
