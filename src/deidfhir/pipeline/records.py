"""What is read of some files: records of studies, and what is told of each slice."""

from __future__ import annotations

import pickle
import zlib
from dataclasses import dataclass, field

from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Instance

Member = tuple[str, str, str, str]
"""SOP Instance UID, Instance Number, file name, what stands for the file."""

_PACKED = b"\x78"
"""How what zlib packs begins (RFC 1950 2.2): no pickle does."""


@dataclass(slots=True)
class StudyRecord:
    """What some files hold of one study.

    Args:
        groups: What instances state, what stands before their names, and what is their own.
        findings: What reading them showed: code and path.
    """

    groups: list[tuple[Facts, str, list[Member]]] = field(default_factory=list)
    findings: set[tuple[str, str]] = field(default_factory=set)

    def instances(self) -> list[Instance]:
        """Return its instances."""
        return [
            Instance(facts, uid, number, prefix + name, file)
            for facts, prefix, members in self.groups
            for uid, number, name, file in members
        ]


@dataclass(slots=True)
class Records:
    """Study records on their way to where they are kept.

    Args:
        open: Study Instance UID → the record to which is added.
        closed: Study Instance UIDs, each with a record to which nothing is added any more.
    """

    open: dict[str, StudyRecord] = field(default_factory=dict)
    closed: list[tuple[str, bytes]] = field(default_factory=list)

    def pack(self) -> None:
        """Close all records, and make them small: so a file of a million objects has room."""
        for uid, record in self.open.items():
            self.closed.append((uid, zlib.compress(pickle.dumps(record, 5), 1)))
        self.open.clear()

    def taken(self) -> list[tuple[str, bytes]]:
        """Return all records, as `record_of` reads them."""
        return [*self.closed, *((uid, pickle.dumps(one, 5)) for uid, one in self.open.items())]


def record_of(data: bytes) -> StudyRecord:
    """Return a record that was pickled, and packed perhaps.

    Args:
        data: As `Records.taken` gives it.
    """
    plain = zlib.decompress(data) if data.startswith(_PACKED) else data
    record: StudyRecord = pickle.loads(plain)  # noqa: S301 - our own
    return record


@dataclass(slots=True)
class SliceRead:
    """What was read of one slice.

    Args:
        key: The slice's.
        place: Its folder, absolute, with `/`.
        objects: How many objects were read, copies included.
        skipped: What was skipped for cause.
        inside: Path of what was skipped or is doubtful → path of the file in which it is.
        foreign: How many files are no DICOM at all.
        doubtful: Foreign files that may have been objects once: empty, or not to be opened.
        studies: Study Instance UIDs of what was read.
        signature: Stands for the files as they were, if that was asked for.
        newest: When the last of them was changed, in nanoseconds since the epoch.
    """

    key: tuple[str, int]
    place: str
    objects: int = 0
    skipped: list[Finding] = field(default_factory=list)
    inside: dict[str, str] = field(default_factory=dict)
    foreign: int = 0
    doubtful: list[str] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)
    signature: str = ""
    newest: int = 0


@dataclass(slots=True)
class BatchRead:
    """What was read of some slices.

    Args:
        files: How many files were looked at.
        slices: What was read of each.
        records: Study Instance UIDs, each with a record as `record_of` reads it.
    """

    files: int
    slices: list[SliceRead]
    records: list[tuple[str, bytes]]
