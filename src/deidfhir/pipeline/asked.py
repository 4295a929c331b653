"""One file, or a member of a container → the headers of its objects, for `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deidfhir.containers.faults import ContainerError
from deidfhir.containers.limits import Limits
from deidfhir.dicom.dicomjson import header_of_json, read_json
from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.headers import read_header
from deidfhir.errors import UsageError
from deidfhir.pipeline.files import require_paths
from deidfhir.pipeline.kinds import CONTAINER, JSON, kind_of
from deidfhir.pipeline.several import take_file
from deidfhir.pipeline.taking import FileRead


def headers_at(path: Path, limits: Limits) -> Iterator[Header]:
    """Yield what was read of the objects at a path.

    Args:
        path: A file with one object or with several, or a member of a container: its path stands
            behind that of the container, as reports tell it.
        limits: What a file that holds others is refused beyond.

    Raises:
        UsageError: `path-missing` or `path-is-folder`.
        ObjectSkipped: There is none.
        ContainerError: What follows cannot be read, and there is none before it.
    """
    file = _file_of(path)
    require_paths([file])
    if file.is_dir():
        raise UsageError("path-is-folder", path=path)
    kind = kind_of(file.name)
    if kind == JSON:
        yield from map(header_of_json, read_json(file))
    elif kind:
        yield from _Asked(str(path), member=file != path).headers(kind, file, limits)
    else:
        yield read_header(file)


def _file_of(path: Path) -> Path:
    """Return the container in which a path leads, or the path itself."""
    inside = (one for one in path.parents if kind_of(one.name) == CONTAINER and one.is_file())
    return next(inside, path)


@dataclass(slots=True)
class _Asked:
    """Takes what was asked for.

    Args:
        path: What was asked for.
        member: Whether that is a member of a container.
    """

    path: str
    member: bool
    _found: list[Header] = field(default_factory=list, init=False)
    _codes: list[str] = field(default_factory=list, init=False)

    def headers(self, kind: str, file: Path, limits: Limits) -> list[Header]:
        """Return what was read.

        Args:
            kind: What `kind_of` says of the file.
            file: The file.
            limits: What it is refused beyond.
        """
        path = str(file)
        try:
            take_file(kind, FileRead(path, path, path, ""), file.stat().st_size, limits, self)
        except (ObjectSkipped, ContainerError) as skip:
            self._codes.append(skip.code)
        if not self._found and not self._codes:
            raise UsageError("path-missing", path=self.path)
        if not self._found:
            raise ObjectSkipped(self._codes[0])
        return self._found

    def take(self, header: Header, file: FileRead) -> None:
        """Take in an object."""
        if not self.member or file.path == self.path:
            self._found.append(header)

    def skip(self, code: str, path: str, within: str = "") -> None:
        """Note why something was skipped."""
        del within
        if not self.member or path.partition("#")[0] == self.path:
            self._codes.append(code)

    def pass_over(self, path: str, *, doubtful: bool, within: str = "") -> None:
        """Note what is no DICOM at all."""
        del doubtful, within
        if not self.member or path == self.path:
            self._codes.append("not-dicom")
