"""Which files need not be opened again: those of studies that the last run left settled.

A slice of a folder is as it was if its signature is: names, sizes and times of its files, and all
that decides what is made of them. It is passed over if all studies in it are settled; what holds a
part of any other study is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from deidfhir.pipeline.listing import Slice, path_digest
from deidfhir.pipeline.records import SliceRead
from deidfhir.pipeline.signature import Signature
from deidfhir.pipeline.told import Told, named_in
from deidfhir.sync.settled import Settled, SettledStudies, SliceRow

_COARSE, _FINE = 2_000_000_000, 50_000_000
"""Nanoseconds within which a file may change without a change of its times: FAT has 2 s."""


@dataclass(slots=True)
class Resync:
    """Knows what earlier runs of a source left settled, and what this one opened.

    Args:
        kept: The journal's settled studies.
        source: The source.
        by: Stands for all that decides what is made of files.
        begun: When the run began, in nanoseconds since the epoch.
        full: Whether to read all files whatever is known.
    """

    kept: SettledStudies
    source: str
    by: str
    begun: int
    full: bool = False
    _before: set[str] = field(default_factory=set, init=False)
    _known: dict[str, SliceRow] = field(default_factory=dict, init=False)
    _settled: dict[str, Settled] = field(default_factory=dict, init=False)
    _named: dict[str, set[str]] = field(default_factory=dict, init=False)
    _paths: dict[str, str] = field(default_factory=dict, init=False)
    _unopened: dict[str, Slice] = field(default_factory=dict, init=False)
    _opened: dict[str, SliceRead] = field(default_factory=dict, init=False)
    _holding: dict[str, set[str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Learn what is known."""
        self._before = set(known := self.kept.slices(self.source))
        if self.full:
            return
        self._known = known
        self._settled = self.kept.studies(self.source)
        for one in self._settled.values():
            for identity, digests in named_in(one.told).items():
                self._named.setdefault(identity, set()).update(digests)

    def changed(self, slices: Iterable[Slice], passed: Callable[[int], None]) -> Iterator[Slice]:
        """Yield the slices that must be read whatever else is; the others are noted.

        Args:
            slices: All of the source.
            passed: Called with the number of files that need not be opened, slice by slice.
        """
        for one in slices:
            identity = slice_id(one.key)
            row = self._known.get(identity)
            if row is None or not self._is_as_it_was(one, identity, row):
                yield one
            else:
                # Should it be read after all, what lies between these is listed once more.
                ends = one.names[:1] + one.names[1:][-1:]
                self._unopened[identity] = replace(one, names=ends)
                self._name(one, self._named.get(identity, set()))
                passed(len(one.names))

    def opened(self, read: SliceRead, studies: Iterable[str]) -> None:
        """Take in what was read of a slice.

        Args:
            read: What was read.
            studies: Ids of the ImagingStudies of what was found.
        """
        identity = slice_id(read.key)
        self._opened[identity] = read
        for study in studies:
            self._holding.setdefault(study, set()).add(identity)

    def more(self) -> list[Slice]:
        """Return the slices to read, too: with them, all studies that are due are read whole."""
        due = [
            one
            for one in self._settled.values()
            if one.id in self._holding or not self._unopened.keys() >= set(one.slices)
        ]
        needed = {part for one in due for part in one.slices} & self._unopened.keys()
        again = [self._unopened.pop(part) for part in sorted(needed)]
        for one in due:
            del self._settled[one.id]
        return again

    @property
    def rows(self) -> list[tuple[Slice, SliceRow]]:
        """What was not opened."""
        return [(one, self._known[key]) for key, one in self._unopened.items()]

    def settled(self) -> list[tuple[Settled, Told]]:
        """Return the studies that were not read, each with what is told of it."""
        return [(one, Told.of(one.told, self._paths)) for one in self._settled.values()]

    def keep(self, settled: Mapping[str, Settled], told: Mapping[str, Told]) -> None:
        """Let the journal know what this run leaves settled.

        Args:
            settled: Of the studies that were read: those that are, by id.
            told: What was told of each study that was read, by id.
        """
        inside: dict[str, list[str]] = {}
        for study, held in self._holding.items():
            for identity in held:
                inside.setdefault(identity, []).append(study)
        slices: dict[str, SliceRow | None] = dict.fromkeys(self._before - self._unopened.keys())
        for identity, read in self._opened.items():
            studies = tuple(sorted(inside.get(identity, ())))
            if self._is_kept(read) and all(one in settled for one in studies):
                signature = _mixed(read.signature, self.by)
                slices[identity] = SliceRow(signature, read.objects, read.foreign, studies)
        places: dict[str, list[str]] = {}
        for identity, read in self._opened.items():
            places.setdefault(read.place, []).append(identity)
        before = self.kept.studies(self.source).keys() - self._settled.keys()
        rows: dict[str, Settled | None] = dict.fromkeys(before)
        for one, held in self._holding.items():
            if one in settled and all(slices.get(identity) for identity in held):
                kept = told[one].kept(lambda place: places.get(place, ()))
                rows[one] = replace(settled[one], slices=tuple(sorted(held)), told=kept)
        self.kept.keep(self.source, slices, rows)

    def _is_as_it_was(self, one: Slice, identity: str, row: SliceRow) -> bool:
        known = [self._settled.get(study) for study in row.studies]
        if not all(study is not None and identity in study.slices for study in known):
            return False
        try:
            signature = signature_of(one)
        except (OSError, ValueError):
            return False
        return row.signature == _mixed(signature, self.by)

    def _name(self, one: Slice, named: set[str]) -> None:
        """Learn for which names of a slice some digests stand."""
        left = set(named)
        for name in one.names:
            if not left:
                return
            digest = path_digest(one.place + name)
            if digest in left:
                left.remove(digest)
                self._paths[digest] = one.prefix + name

    def _is_kept(self, read: SliceRead) -> bool:
        """Whether its files can no longer change without changing its signature."""
        coarse = read.newest % 1_000_000_000 == 0
        return bool(read.signature) and read.newest < self.begun - (_COARSE if coarse else _FINE)


def signature_of(one: Slice) -> str:
    """Return what stands for the files of a slice as they are, without opening them.

    Args:
        one: The slice.

    Raises:
        OSError: A file is not there, or may not be looked at.
    """
    signature = Signature()
    if os.stat not in os.supports_dir_fd:
        for name in one.names:
            signature.add(name, os.stat(one.prefix + name))  # noqa: PTH116 - a million files
        return signature.digest()
    folder = os.open(one.folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        for name in one.names:
            signature.add(name, os.stat(name, dir_fd=folder))
    finally:
        os.close(folder)
    return signature.digest()


def slice_id(key: tuple[str, int]) -> str:
    """Return what stands for a slice in the journal.

    Args:
        key: The slice's.
    """
    place, number = key
    return sha256(f"{number}\n{place}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _mixed(signature: str, by: str) -> str:
    return sha256(f"{signature}\n{by}".encode()).hexdigest()[:32]
