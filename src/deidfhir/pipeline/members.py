"""A zip or tar file → the objects that it holds, member by member, nothing unpacked to the disk."""

from __future__ import annotations

from typing import IO

from deidfhir.containers.faults import MemberError
from deidfhir.containers.limits import Limits
from deidfhir.containers.members import Member
from deidfhir.containers.names import is_nested
from deidfhir.containers.opening import members_of
from deidfhir.dicom.dicomjson import objects_in
from deidfhir.dicom.directory import is_directory
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import header_of_stream, look_into
from deidfhir.pipeline.jsonfiles import take_lines, take_objects
from deidfhir.pipeline.kinds import (
    JSON,
    NDJSON,
    is_blank,
    is_marked,
    is_named,
    kind_of,
    may_be_dicom,
)
from deidfhir.pipeline.taking import FileRead, Taker

_PIECE = 1 << 16
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
"""How `._name` begins, which some systems put beside each file (RFC 1740)."""


def take_members(
    stream: IO[bytes], size: int, limits: Limits, taker: Taker, file: FileRead
) -> None:
    """Take in the objects of a container.

    Args:
        stream: The container.
        size: Its bytes.
        limits: What it is refused beyond.
        taker: Takes the objects.
        file: The container.

    Raises:
        ContainerError: What follows in it cannot be read.
        OSError: It cannot be read.
    """
    is_empty = True
    for member in members_of(file.path, stream, size, limits):
        is_empty = False
        one = file.member(member.name)
        try:
            _Member(member, limits, taker, one).read()
        except (ObjectSkipped, MemberError) as skip:
            taker.skip(skip.code, one.path, one.within)
    if is_empty:
        # A container that was emptied: objects may have been there.
        taker.pass_over(file.path, doubtful=True)


class _Member:
    """A member on its way."""

    def __init__(self, member: Member, limits: Limits, taker: Taker, file: FileRead) -> None:
        self._member, self._limits, self._taker, self._file = member, limits, taker, file
        self._base = member.name[member.name.rfind("/") + 1 :]

    def read(self) -> None:
        """Read it.

        Raises:
            ObjectSkipped: It is skipped for cause.
            MemberError: It cannot be unpacked.
            ContainerError: Nor can what follows.
        """
        if self._member.trouble:
            raise ObjectSkipped(self._member.trouble)
        kind = kind_of(self._base)
        if kind == JSON:
            take_objects(objects_in(self._whole()), self._taker, self._file)
        elif kind == NDJSON:
            take_lines(self._member.read, self._limits.held, self._taker, self._file)
        else:
            self._part10()

    def _part10(self) -> None:
        head, header = look_into(self._member.read)
        try:
            if header is None:
                header = self._otherwise(head)
            if header is None:
                self._pass(doubtful=is_blank(head))
            else:
                self._taker.take(header, self._file)
        except ObjectSkipped as skip:
            if is_directory(head):
                self._pass(doubtful=False)
            elif is_named(self._base) or is_marked(head) or skip.code == "container-nested":
                raise
            else:
                self._pass(doubtful=True)

    def _otherwise(self, head: bytes) -> Header | None:
        """Return the header of what the scan leaves alone; None for what is no object at all."""
        if is_nested(self._base, head):
            raise ObjectSkipped("container-nested")
        if may_be_dicom(head):
            size, most = self._member.size, self._limits.held
            return header_of_stream(head, self._member.read, size, most)
        if is_named(self._base) and not head.startswith(_APPLE_DOUBLE):
            raise ObjectSkipped("not-dicom" if head else "file-empty")
        return None

    def _whole(self) -> bytes:
        """Return all of it.

        Raises:
            ObjectSkipped: `file-empty` or `object-too-large`.
        """
        pieces, length = [], 0
        while data := self._member.read(_PIECE):
            pieces.append(data)
            length += len(data)
            if length > self._limits.held:
                raise ObjectSkipped("object-too-large")
        if not length:
            raise ObjectSkipped("file-empty")
        return b"".join(pieces)

    def _pass(self, *, doubtful: bool) -> None:
        self._taker.pass_over(self._file.path, doubtful=doubtful, within=self._file.within)
