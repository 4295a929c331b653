"""The unit of work: files → study records. Pure and picklable: any process may do it.

What is delivered of a study is a record: what its instances state, each once, and for each
instance what is its own. So little goes from process to process, and to the disk.
"""

from __future__ import annotations

import os
import pickle
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deidfhir.dicom.dicomjson import header_of_json, read_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import header_by_fallback, look_at
from deidfhir.dicom.reader import Reader
from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Instance
from deidfhir.pipeline.listing import Slice
from deidfhir.sync.standins import PATH_DIGITS

DICOM_SUFFIXES = (".dcm", ".dicom")
JSON_SUFFIX = ".json"

Member = tuple[str, str, str, str]
"""SOP Instance UID, Instance Number, file name, what stands for the file."""


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
class SliceRead:
    """What was read of one slice.

    Args:
        key: The slice's.
        place: Its folder, absolute, with `/`.
        objects: How many objects were read, copies included.
        skipped: What was skipped for cause.
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
        records: Study Instance UID → pickled StudyRecord.
    """

    files: int
    slices: list[SliceRead]
    records: dict[str, bytes]


def read_slices(batch: tuple[Slice, ...], *, signed: bool = False) -> BatchRead:
    """Read the files of some slices.

    Args:
        batch: The slices.
        signed: Whether to say what stands for the files as they were.
    """
    studies: dict[str, StudyRecord] = {}
    reader = Reader()
    done = []
    for one in batch:
        run = _Run(one, studies, reader, signed=signed)
        run.read()
        done.append(run.read_so_far)
    records = {uid: pickle.dumps(record, 5) for uid, record in studies.items()}
    return BatchRead(sum(len(one.names) for one in batch), done, records)


class _Run:
    """Reads one slice."""

    def __init__(
        self, one: Slice, studies: dict[str, StudyRecord], reader: Reader, *, signed: bool
    ) -> None:
        self._slice, self._studies, self._reader = one, studies, reader
        self._signature = Signature() if signed else None
        self._digest = sha256(_bytes(one.place))
        self._groups: dict[int, list[Member]] = {}
        self.read_so_far = SliceRead(one.key, one.place)

    def read(self) -> None:
        """Read every file."""
        read, prefix = self.read_so_far, self._slice.prefix
        for name in self._slice.names:
            try:
                if _is_json(name):
                    self._json(prefix + name, name)
                else:
                    self._part10(prefix + name, name)
            except ObjectSkipped as skip:
                if _is_named(name) or skip.code != "file-unreadable":
                    read.skipped.append(Finding(skip.code, prefix + name))
                else:
                    self._pass(prefix + name, doubtful=True)
        if self._signature and not read.skipped and not read.doubtful:
            # What could not be read may be readable the next time, and is told of until then.
            read.signature, read.newest = self._signature.digest(), self._signature.newest

    def _part10(self, path: str, name: str) -> None:
        seen = look_at(path)
        if self._signature:
            self._signature.add(name, seen.status)
        if seen.header is not None:
            self._take(seen.header, path, name, seen.status)
        elif not stat.S_ISREG(seen.status.st_mode):
            self._pass(path, doubtful=False)
        elif _may_be_dicom(seen.head):
            self._by_fallback(path, name, seen.head, seen.status)
        elif _is_named(name):
            raise ObjectSkipped("not-dicom" if seen.head else "file-empty")
        else:
            # Empty, or blank as after a loss of power, it may have been an object once.
            self._pass(path, doubtful=not seen.head[:132].strip(b"\0"))

    def _by_fallback(self, path: str, name: str, head: bytes, status: os.stat_result) -> None:
        try:
            self._take(header_by_fallback(Path(path)), path, name, status)
        except ObjectSkipped:
            if _is_named(name) or _is_marked(head):
                raise
            self._pass(path, doubtful=True)

    def _json(self, path: str, name: str) -> None:
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            raise ObjectSkipped("file-unreadable") from error
        if self._signature:
            self._signature.add(name, status)
        if status.st_size == 0:
            raise ObjectSkipped("file-empty")
        for number, one in enumerate(read_json(Path(path)), start=1):
            try:
                self._take(header_of_json(one), path, name, status)
            except ObjectSkipped as skip:
                self.read_so_far.skipped.append(Finding(skip.code, f"{path}#{number}"))

    def _take(self, header: Header, path: str, name: str, status: os.stat_result) -> None:
        one, codes = self._reader.read(header, path)
        facts = one.facts
        members = self._groups.get(id(facts))
        if members is None:
            members = self._begun(facts)
        digest = self._digest.copy()
        digest.update(_bytes(name))
        file = f"{digest.hexdigest()[:PATH_DIGITS]}.{status.st_size:x}-{status.st_mtime_ns:x}"
        members.append((one.sop_instance_uid, one.instance_number, name, file))
        self.read_so_far.objects += 1
        if codes:
            found = self._studies[facts.study_uid].findings
            found.update((code, path) for code in codes)

    def _begun(self, facts: Facts) -> list[Member]:
        """Begin a group of instances that state the same; its facts stay as long as the group."""
        members = self._groups[id(facts)] = []
        record = self._studies.setdefault(facts.study_uid, StudyRecord())
        record.groups.append((facts, self._slice.prefix, members))
        self.read_so_far.studies.add(facts.study_uid)
        return members

    def _pass(self, path: str, *, doubtful: bool) -> None:
        self.read_so_far.foreign += 1
        if doubtful:
            self.read_so_far.doubtful.append(path)


class Signature:
    """Stands for some files as they are: changes whenever one is added, goes, or is written to."""

    __slots__ = ("_told", "newest")

    def __init__(self) -> None:
        self._told: list[str] = []
        self.newest = 0

    def add(self, name: str, status: os.stat_result) -> None:
        """Take in a file.

        Args:
            name: Its name.
            status: How it is.
        """
        changed, written = status.st_ctime_ns, status.st_mtime_ns
        self._told.append(f"{name}\0{status.st_size} {written} {changed}\0")
        if changed > self.newest or written > self.newest:
            self.newest = max(changed, written)

    def digest(self) -> str:
        """Return what stands for the files so far."""
        return sha256(_bytes("".join(self._told))).hexdigest()[:32]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_json(name: str) -> bool:
    return name[-5:].lower() == JSON_SUFFIX and len(name) > len(JSON_SUFFIX)


def _is_named(name: str) -> bool:
    """Whether the name says that it should be an object."""
    return Path(name).suffix.lower() in (*DICOM_SUFFIXES, JSON_SUFFIX)


def _is_marked(head: bytes) -> bool:
    return head[128:132] == b"DICM"


def _may_be_dicom(head: bytes) -> bool:
    return _is_marked(head) or _looks_like_a_data_set(head)


def _looks_like_a_data_set(head: bytes) -> bool:
    """Whether a file without preamble begins as File Meta or a data set does (PS3.5 7.1)."""
    little, big = head[:2], head[1::-1] if len(head) > 1 else b""
    return len(head) >= 8 and (
        little in (b"\x02\x00", b"\x08\x00") or big in (b"\x02\x00", b"\x08\x00")
    )
