"""PATHs → slices of folders: which files are to be looked at, in their order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from deidfhir.dicom.directory import is_named_directory
from deidfhir.model.finding import Finding
from deidfhir.pipeline.kinds import is_read_alone, those_read_alone
from deidfhir.sync.standins import PATH_DIGITS

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://")
_FILE = -1
"""Number of the slice that is one file: one that a PATH names, or that holds many objects."""
_NAMED = -2
"""Number of the first slice of files that a DICOMDIR names; those after it go on downwards."""
LARGEST = 1000
"""So many names of one folder go into a slice; always the same: signatures are made of them."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Files of one folder, or one file.

    Args:
        prefix: What stands before their names, as the operator named it: a folder, with `/`.
        names: Their names, sorted.
        number: Which slice of its folder it is, from 0; -1 for one file alone.
        place: The folder, absolute, with `/`.
    """

    prefix: str
    names: tuple[str, ...]
    number: int
    place: str

    @property
    def key(self) -> tuple[str, int]:
        """What no other slice of a listing has."""
        return self.place + (self.names[0] if self.number == _FILE else ""), self.number

    @property
    def weight(self) -> int:
        """How many files it is worth in a batch."""
        alone = self.number == _FILE and is_read_alone(self.names[0])
        return LARGEST if alone else len(self.names)

    @property
    def folder(self) -> str:
        """The folder as the operator named it: behind a link and `..`, its place is another."""
        return os.path.dirname(self.prefix) or os.curdir  # noqa: PTH120 - "" is here, "/" the root


@dataclass(slots=True)
class Listing:
    """What lies at and below some PATHs.

    Args:
        paths: Files, or folders that are walked to their end, links to folders included.
        skipped: Told of folders that cannot be listed, and of files that are not there.
        inside: Path of what was skipped → path of the file in which it is.
        findings: What is odd about the PATHs.
        foreign: How many sockets, pipes and devices there were.
    """

    paths: tuple[Path, ...]
    skipped: list[Finding] = field(default_factory=list)
    foreign: int = 0
    inside: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _files: set[str] = field(default_factory=set, init=False)
    _folders: set[str] = field(default_factory=set, init=False)
    _named: dict[str, list[str]] = field(default_factory=dict, init=False)

    def slices(self) -> Iterator[Slice]:
        """Yield what is to be looked at, each file once, also where PATHs overlap."""
        for path in self.paths:
            if path.is_dir():
                for folder in _folders(path, self.skipped):
                    yield from self._of_folder(folder)
            elif is_named_directory(path.name):
                yield from self._of_file_set(path)
            else:
                yield from self._of_file(path)

    def _of_file(self, path: Path) -> Iterator[Slice]:
        shown, place = str(path), absolute(path)
        name = os.path.basename(shown)  # noqa: PTH119 - Path("..").name is empty
        folder = place[: len(place) - len(name)]
        if place in self._files or folder in self._folders:
            return
        self._files.add(place)
        yield Slice(shown[: len(shown) - len(name)], (name,), _FILE, folder)

    def _of_folder(self, folder: _Folder) -> Iterator[Slice]:
        place = _with_separator(absolute(Path(folder.path)))
        if place in self._folders:
            return
        self._folders.add(place)
        self.foreign += folder.special
        names = [one for one in folder.names if place + one not in self._files]
        prefix = _prefix(folder.path)
        alone = those_read_alone(names)
        if alone:
            names = [one for one in names if not is_read_alone(one)]
        for number, begin in enumerate(range(0, len(names), LARGEST)):
            yield Slice(prefix, tuple(names[begin : begin + LARGEST]), number, place)
        for one in alone:
            yield Slice(prefix, (one,), _FILE, place)

    def _of_file_set(self, path: Path) -> Iterator[Slice]:
        """Yield the files that a DICOMDIR names; tell of those that are missing, and of others."""
        from deidfhir.pipeline.filesets import FileSet  # noqa: PLC0415 - most runs need none

        found = FileSet(path)
        found.read()
        for folder, names in sorted(found.folders.items()):
            place = _with_separator(absolute(Path(folder)))
            if place in self._folders:
                continue
            left = sorted(one for one in names if place + one not in self._files)
            self._files.update(place + one for one in left)
            before = self._named.get(place, [])
            self._named[place] = sorted(before + left)
            first = _NAMED - len(range(0, len(before), LARGEST))
            for number, begin in enumerate(range(0, len(left), LARGEST)):
                some = tuple(left[begin : begin + LARGEST])
                yield Slice(_prefix(folder), some, first - number, place)
        for each in _folders(str(path.parent), self.skipped):
            found.compare(each.path, each.names)
        self.skipped += found.skipped
        self.findings += found.findings
        self.inside |= found.inside
        self.foreign += found.foreign

    def again(self, one: Slice) -> Slice:
        """Return a slice with the names that it has now, from its first name to its last.

        Not by their number: where files came or went meanwhile, others would be left out.

        Args:
            one: The slice, with these two names; one that is a file stays as it is.
        """
        if one.number == _FILE:
            return one
        if one.number <= _NAMED:
            names = self._named[one.place]
            return replace(one, names=tuple(_between(names, one)))
        try:
            names = _listed(one.folder).names
        except OSError:
            self.skipped.append(Finding("file-unreadable", one.folder))
            return replace(one, names=())
        return replace(
            one,
            names=tuple(
                name
                for name in _between(names, one)
                if one.place + name not in self._files and not is_read_alone(name)
            ),
        )


@dataclass(slots=True)
class _Folder:
    path: str
    names: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    special: int = 0


def _between(names: list[str], one: Slice) -> Iterator[str]:
    """Yield the names from a slice's first to its last."""
    first, last = one.names[0], one.names[-1]
    return (name for name in names if first <= name <= last)


def _folders(top: Path | str, skipped: list[Finding]) -> Iterator[_Folder]:
    """Yield a folder and those below it, each before those inside of it, and only once."""
    been: set[tuple[int, int]] = set()
    waiting = [str(top)]
    while waiting:
        path = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - a million folders
            if (status.st_dev, status.st_ino) in been:
                continue
            been.add((status.st_dev, status.st_ino))
            folder = _listed(path)
        except OSError:
            skipped.append(Finding("file-unreadable", path))
            continue
        yield folder
        waiting += [os.path.join(path, one) for one in sorted(folder.folders, reverse=True)]  # noqa: PTH118


def _listed(path: str) -> _Folder:
    folder = _Folder(path)
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_file():
                folder.names.append(entry.name)
            elif entry.is_dir():
                folder.folders.append(entry.name)
            elif entry.is_symlink() and not Path(entry.path).exists():
                folder.names.append(entry.name)  # a link to nothing is a file that cannot be read
            else:
                folder.special += 1
    folder.names.sort()
    return folder


def batches(slices: Iterable[Slice], least: Callable[[], int]) -> Iterator[tuple[Slice, ...]]:
    """Yield slices so many files at a time: small folders together, a large slice alone.

    Args:
        slices: In their order.
        least: Gives the number of files in the next batch, or more.
    """
    batch: list[Slice] = []
    count = 0
    for one in slices:
        batch.append(one)
        count += one.weight
        if count >= least():
            yield tuple(batch)
            batch, count = [], 0
    if batch:
        yield tuple(batch)


def absolute(path: Path) -> str:
    """Return a path from the root on; a link is not taken for its target."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would take a link for its target


def place_of(shown: str) -> str:
    """Return where something is that is shown: an address is a place by itself.

    Args:
        shown: A path as the operator named it, or an address.
    """
    return shown if _ADDRESS.match(shown) else absolute(Path(shown))


def digest(text: str) -> str:
    """Return what stands for a path, or for several, where none may stand."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def path_digest(place: str) -> str:
    """Return what stands for a file beside its instances: the beginning of its digest.

    Args:
        place: Its path, absolute.
    """
    return digest(place)[:PATH_DIGITS]


def _prefix(folder: str) -> str:
    """Return what stands before the names in a folder, as the operator named it."""
    return str(Path(folder, "-"))[:-1]


def _with_separator(place: str) -> str:
    return place if place.endswith(os.sep) else place + os.sep
