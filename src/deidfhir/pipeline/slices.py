"""The unit of work: files → study records. Pure and picklable: any process may do it.

What is delivered of a study is a record: what its instances state, each once, and for each
instance what is its own. So little goes from process to process, and to the disk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from deidfhir.containers.faults import ContainerError
from deidfhir.containers.limits import DEFAULT, Limits
from deidfhir.dicom.directory import is_directory
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import header_by_fallback, look_at
from deidfhir.dicom.reader import Reader
from deidfhir.dicom.scan.prefix import Opened
from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts
from deidfhir.pipeline.kinds import is_blank, is_marked, is_named, kind_of, may_be_dicom
from deidfhir.pipeline.listing import Slice
from deidfhir.pipeline.records import BatchRead, Member, Records, SliceRead, StudyRecord
from deidfhir.pipeline.signature import Signature
from deidfhir.sync.standins import PATH_DIGITS

if TYPE_CHECKING:
    from deidfhir.pipeline.taking import FileRead

_OPEN = 5000
"""So many objects of one file are held as they are; those before them are made small."""
_BEAT = 256


def _no_pulse() -> None:
    """Do nothing: nobody asks to end the run."""


def read_slices(
    batch: tuple[Slice, ...],
    *,
    signed: bool = False,
    limits: Limits = DEFAULT,
    pulse: Callable[[], None] = _no_pulse,
) -> BatchRead:
    """Read the files of some slices.

    Args:
        batch: The slices.
        signed: Whether to say what stands for the files as they were.
        limits: What files that hold others are refused beyond.
        pulse: Called now and then while such a file is read; it may end the run by an error.
    """
    records, reader = Records(), Reader()
    done = []
    for one in batch:
        run = _Run(one, records, reader, limits, signed=signed)
        run.pulse = pulse
        run.read()
        done.append(run.read_so_far)
    return BatchRead(sum(len(one.names) for one in batch), done, records.taken())


class _Run:
    """Reads one slice."""

    def __init__(
        self, one: Slice, records: Records, reader: Reader, limits: Limits, *, signed: bool
    ) -> None:
        self._slice, self._records, self._reader = one, records, reader
        self._limits, self._signature = limits, Signature() if signed else None
        self._digest = sha256(_bytes(one.place))
        self._groups: dict[int, list[Member]] = {}
        self._open = self._beats = 0
        self.pulse: Callable[[], None] = _no_pulse
        self.read_so_far = SliceRead(one.key, one.place)

    def read(self) -> None:
        """Read every file."""
        read, prefix = self.read_so_far, self._slice.prefix
        for name in self._slice.names:
            try:
                kind = kind_of(name)
                if kind:
                    self._several(kind, prefix + name, name)
                else:
                    self._part10(prefix + name, name)
            except (ObjectSkipped, ContainerError) as skip:
                if is_named(name) or skip.code != "file-unreadable":
                    self.skip(skip.code, prefix + name)
                else:
                    self.pass_over(prefix + name, doubtful=True)
        if self._signature and not read.skipped and not read.doubtful:
            # What could not be read may be readable the next time, and is told of until then.
            read.signature, read.newest = self._signature.digest(), self._signature.newest

    def _several(self, kind: str, path: str, name: str) -> None:
        from deidfhir.pipeline.several import take_file  # noqa: PLC0415 - most runs need none
        from deidfhir.pipeline.taking import FileRead  # noqa: PLC0415

        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            raise ObjectSkipped("file-unreadable") from error
        if self._signature:
            self._signature.add(name, status)
        if status.st_size == 0:
            raise ObjectSkipped("file-empty")
        file, before = FileRead(path, name, path, self._stands_for(name, status)), self._objects
        try:
            take_file(kind, file, status.st_size, self._limits, self)
        except ContainerError:
            # That it was not whole before explains nothing of which it gives less now.
            self._doubt(f"{path}#{self._objects - before}-{file.stands_for}", path)
            raise

    @property
    def _objects(self) -> int:
        return self.read_so_far.objects

    def _doubt(self, path: str, within: str) -> None:
        self.read_so_far.doubtful.append(path)
        if within:
            self.read_so_far.inside[path] = within

    def _part10(self, path: str, name: str) -> None:
        seen = look_at(path)
        if self._signature:
            self._signature.add(name, seen.status)
        try:
            if seen.header is not None:
                self._put(seen.header, path, name, self._stands_for(name, seen.status))
            else:
                self._without_header(seen, path, name)
        except ObjectSkipped:
            if not is_directory(seen.head):
                raise
            self.pass_over(path, doubtful=False)

    def _without_header(self, seen: Opened, path: str, name: str) -> None:
        if not stat.S_ISREG(seen.status.st_mode):
            self.pass_over(path, doubtful=False)
        elif may_be_dicom(seen.head):
            self._by_fallback(seen, path, name)
        elif is_named(name):
            raise ObjectSkipped("not-dicom" if seen.head else "file-empty")
        else:
            self.pass_over(path, doubtful=is_blank(seen.head))

    def _by_fallback(self, seen: Opened, path: str, name: str) -> None:
        try:
            header = header_by_fallback(Path(path))
            self._put(header, path, name, self._stands_for(name, seen.status))
        except ObjectSkipped:
            if is_named(name) or is_marked(seen.head):
                raise
            self.pass_over(path, doubtful=True)

    def _stands_for(self, name: str, status: os.stat_result) -> str:
        digest = self._digest.copy()
        digest.update(_bytes(name))
        return f"{digest.hexdigest()[:PATH_DIGITS]}.{status.st_size:x}-{status.st_mtime_ns:x}"

    def take(self, header: Header, file: FileRead) -> None:
        """Take in an object of a file that holds several."""
        self._put(header, file.path, file.name, file.stands_for)
        self._beat()
        self._open += 1
        if self._open >= _OPEN:
            self._records.pack()
            self._groups.clear()
            self._open = 0

    def _put(self, header: Header, path: str, name: str, file: str) -> None:
        one, codes = self._reader.read(header, path)
        facts = one.facts
        members = self._groups.get(id(facts))
        if members is None:
            members = self._begun(facts)
        members.append((one.sop_instance_uid, one.instance_number, name, file))
        self.read_so_far.objects += 1
        if codes:
            found = self._records.open[facts.study_uid].findings
            found.update((code, path) for code in codes)

    def _begun(self, facts: Facts) -> list[Member]:
        """Begin a group of instances that state the same; its facts stay as long as the group."""
        members = self._groups[id(facts)] = []
        record = self._records.open.setdefault(facts.study_uid, StudyRecord())
        record.groups.append((facts, self._slice.prefix, members))
        self.read_so_far.studies.add(facts.study_uid)
        return members

    def skip(self, code: str, path: str, within: str = "") -> None:
        """Tell that something was skipped for cause."""
        self.read_so_far.skipped.append(Finding(code, path))
        if within:
            self._beat()
            self.read_so_far.inside[path] = within

    def pass_over(self, path: str, *, doubtful: bool, within: str = "") -> None:
        """Count what is no DICOM at all."""
        self.read_so_far.foreign += 1
        if within:
            self._beat()
        if doubtful:
            # Empty, or blank as after a loss of power, it may have been an object once.
            self._doubt(path, within)

    def _beat(self) -> None:
        self._beats += 1
        if self._beats % _BEAT == 0:
            self.pulse()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
