"""PATHs → studies: which files are objects, which are skipped for cause, which are foreign."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deidfhir.dicom.dicomjson import elements_of_json, odd_in_json, read_json
from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.dicom.evidence import evidence_of_json
from deidfhir.dicom.headers import read_header
from deidfhir.dicom.reader import instance_of
from deidfhir.errors import UsageError
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.study import Study, StudyFold
from deidfhir.sync.unit import PATH_DIGITS

DICOM_SUFFIXES = (".dcm", ".dicom")
JSON_SUFFIX = ".json"


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
        files: Input path → what stands for the file as it was: its place, its size and time.
    """

    source: str
    places: tuple[str, ...] = ()
    fold: StudyFold = field(default_factory=StudyFold)
    instances: int = 0
    skipped: list[Finding] = field(default_factory=list)
    foreign: int = 0
    doubtful: list[str] = field(default_factory=list)
    of_folders: bool = False
    hollow: bool = False
    files: dict[str, str] = field(default_factory=dict)
    _file: str = field(default="", init=False)

    @property
    def studies(self) -> Iterator[Study]:
        """The studies, sorted by Study Instance UID."""
        return iter(self.fold)

    def note(self, path: Path, status: os.stat_result) -> None:
        """Note what stands for a file before it is read: its name and what changes with it."""
        state = _digest(f"{status.st_size} {status.st_mtime_ns}")
        self._file = f"{_digest(_absolute(path))[:PATH_DIGITS]}.{state[:PATH_DIGITS]}"

    def take(self, instance: Instance, findings: tuple[Finding, ...]) -> None:
        """Take in an instance of the file that was noted last."""
        self.instances += 1
        self.files[instance.path] = self._file
        self.fold.add(instance, findings)

    def missing_files(self) -> frozenset[str]:
        """Return which files may hold an object that was not read, each as a digest."""
        named = (*(one.path for one in self.skipped), *self.doubtful)
        return frozenset(_digest(_absolute(Path(one))) for one in named)


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


def read_paths(paths: Iterable[Path], progress: Callable[[int], None] | None = None) -> Reading:
    """Read every object below some files and folders.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        progress: Called with the number of files looked at so far.

    Raises:
        UsageError: `path-missing`, before anything is read.
    """
    given = list(paths)
    require_paths(given)
    places = tuple(sorted({_absolute(one) for one in given}))
    shown = tuple(os.fsencode(one).decode("utf-8", "backslashreplace") for one in places)
    reading = Reading(_digest("\n".join(places)), shown)
    reading.of_folders = all(path.is_dir() for path in given)
    objects: dict[str, bool] = {}
    for path in given:
        hollow = True
        for file in walk(path, reading.skipped):
            name = _absolute(file)
            if name not in objects:
                before = reading.instances
                _read_file(file, reading)
                objects[name] = reading.instances > before
                if progress:
                    progress(len(objects))
            hollow = hollow and not objects[name]
        reading.hollow = reading.hollow or hollow
    return reading


def walk(path: Path, skipped: list[Finding]) -> Iterator[Path]:
    """Yield the files at or below a path, sorted; folders that cannot be listed are skipped.

    Links to folders are followed, each folder once.
    """
    if not path.is_dir():
        yield path
        return
    been: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        skipped.append(Finding("file-unreadable", str(error.filename)))

    for folder, folders, files in os.walk(path, onerror=unreadable, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in been:
            folders.clear()
            continue
        been.add((status.st_dev, status.st_ino))
        folders.sort()
        for name in sorted(files):
            yield Path(folder, name)


def _read_file(path: Path, reading: Reading) -> None:
    suffix = path.suffix.lower()
    named = suffix in (*DICOM_SUFFIXES, JSON_SUFFIX)
    try:
        status = _status(path)
        reading.note(path, status)
        if not stat.S_ISREG(status.st_mode):
            reading.foreign += 1  # a socket, a pipe
        elif suffix == JSON_SUFFIX:
            _read_json(path, reading)
        else:
            _read_part10(path, reading, named=named)
    except ObjectSkipped as skip:
        if named or skip.code != "file-unreadable":
            reading.skipped.append(Finding(skip.code, str(path)))
        else:
            reading.foreign += 1
            reading.doubtful.append(str(path))


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise ObjectSkipped("file-unreadable") from error


def _read_json(path: Path, reading: Reading) -> None:
    if _status(path).st_size == 0:
        raise ObjectSkipped("file-empty")
    for number, one in enumerate(read_json(path), start=1):
        try:
            instance, findings = instance_of(
                elements_of_json(one),
                str(path),
                evidence=evidence_of_json(one),
                odd=odd_in_json(one),
            )
        except ObjectSkipped as skip:
            reading.skipped.append(Finding(skip.code, f"{path}#{number}"))
        else:
            reading.take(instance, findings)


def _read_part10(path: Path, reading: Reading, *, named: bool) -> None:
    head = _head(path)
    marked = head[128:132] == b"DICM"
    if not head and named:
        raise ObjectSkipped("file-empty")
    if not marked and not _looks_like_a_data_set(head):
        if named:
            raise ObjectSkipped("not-dicom")
        reading.foreign += 1
        if not head.strip(b"\0"):  # empty, or blank as after a loss of power
            reading.doubtful.append(str(path))
        return
    try:
        header = read_header(path)
        instance, findings = instance_of(
            header.elements,
            str(path),
            tail_broken=header.tail_broken,
            evidence=header.evidence,
            odd=header.odd,
        )
    except ObjectSkipped:
        if named or marked:
            raise
        reading.foreign += 1
        reading.doubtful.append(str(path))
        return
    reading.take(instance, findings)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(132)
    except OSError as error:
        raise ObjectSkipped("file-unreadable") from error


def _looks_like_a_data_set(head: bytes) -> bool:
    """Whether a file without preamble begins as File Meta or a data set does (PS3.5 7.1)."""
    little, big = head[:2], head[1::-1] if len(head) > 1 else b""
    return len(head) >= 8 and (
        little in (b"\x02\x00", b"\x08\x00") or big in (b"\x02\x00", b"\x08\x00")
    )


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would take a link for its target


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
