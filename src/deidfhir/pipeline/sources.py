"""PATHs → studies: which files are objects, which are skipped for cause, which are foreign."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deidfhir.errors import UsageError
from deidfhir.model.finding import Finding
from deidfhir.model.study import Studies, Study, StudyFold
from deidfhir.pipeline.listing import Listing, absolute
from deidfhir.pipeline.slices import SliceRead
from deidfhir.pipeline.spill import Spill
from deidfhir.pipeline.workers import read_all


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

    @property
    def studies(self) -> Iterator[Study]:
        """The studies, sorted by Study Instance UID."""
        return iter(self.fold)

    def take(self, read: SliceRead) -> None:
        """Count what was read of a slice."""
        self.instances += read.objects
        self.skipped += read.skipped
        self.foreign += read.foreign
        self.doubtful += read.doubtful

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
    reading = source_of(given)
    listing, spill = Listing(given), Spill()
    reading.fold = spill
    holding: set[str] = set()
    files = 0
    for batch in read_all(listing.slices(), workers):
        for uid, record in batch.records.items():
            spill.add(uid, record)
        for one in batch.slices:
            reading.take(one)
            if one.objects:
                holding.add(one.key[0])
        files += batch.files
        if progress:
            progress(files)
    reading.skipped = [*listing.skipped, *reading.skipped]
    reading.foreign += listing.foreign
    reading.hollow = any(_is_hollow(one, holding) for one in given)
    return reading


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
    """Whether there is no object in a folder, or beside a file, that a PATH names."""
    if not path.is_dir():
        return os.path.dirname(absolute(path)) + os.sep not in holding  # noqa: PTH120
    place = os.path.join(absolute(path), "")  # noqa: PTH118
    return not any(one.startswith(place) for one in holding)


def digest(text: str) -> str:
    """Return what stands for a path, or for several."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
