"""A DICOMDIR → the files of its file-set: those it names, those that are missing, and others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deidfhir.dicom.directory import is_directory, is_named_directory
from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.dicom.filesetrecords import referenced_files
from deidfhir.model.finding import Finding
from deidfhir.pipeline.kinds import is_marked, is_named

_COMPONENT = re.compile(r"[A-Z0-9_]{1,8}")
"""PS3.10 8.2, 8.5."""
_HEAD = 1024


@dataclass(slots=True)
class FileSet:
    """The files of a file-set.

    Args:
        path: Its DICOMDIR, as the operator named it.
        folders: Folder → names of files in it that the DICOMDIR names.
        skipped: What the DICOMDIR names and what is not there, or the DICOMDIR itself.
        inside: Path of what was skipped → the DICOMDIR, where that tells no path.
        findings: Objects that the DICOMDIR does not name.
        foreign: How many other files there are.
    """

    path: Path
    folders: dict[str, set[str]] = field(default_factory=dict)
    skipped: list[Finding] = field(default_factory=list)
    inside: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    foreign: int = 0
    _listed: dict[str, dict[str, str]] = field(default_factory=dict, init=False)

    def read(self) -> None:
        """Read the DICOMDIR."""
        try:
            for number, parts in referenced_files(self.path):
                self._add(number, parts)
        except ObjectSkipped as skip:
            self.skipped.append(Finding(skip.code, str(self.path)))

    def compare(self, folder: str, names: Iterable[str]) -> None:
        """Compare what lies in a folder of the file-set with what the DICOMDIR names.

        Args:
            folder: The folder.
            names: Names of the files in it.
        """
        for name in sorted({*names} - self.folders.get(folder, set())):
            path = Path(folder, name)
            head = _head_of(path)
            if head is None or (is_named_directory(name) and is_directory(head)):
                continue
            if is_named(name) or is_marked(head):
                self.findings.append(Finding("dicomdir-file-extra", str(path)))
            else:
                self.foreign += 1

    def _add(self, number: int, parts: tuple[str, ...]) -> None:
        folder, found = str(self.path.parent), ""
        for part in parts:
            folder = os.path.join(folder, found) if found else folder  # noqa: PTH118
            found = self._found(folder, part)
            if not found:
                self._miss(number, parts)
                return
        if Path(folder, found).is_dir():
            self._miss(number, parts)
        else:
            self.folders.setdefault(folder, set()).add(found)

    def _found(self, folder: str, part: str) -> str:
        """Return the name of what a folder holds by that name, also where a disk changed its case.

        Only what the folder lists is taken: no record leads out of the file-set.
        """
        if folder not in self._listed:
            self._listed[folder] = dict(_names_in(folder))
        names = self._listed[folder]
        return names.get(part) or names.get(part.upper(), "")

    def _miss(self, number: int, parts: tuple[str, ...]) -> None:
        """Tell of a file that is not there: its path, if it is one that a File ID may be."""
        if all(map(_COMPONENT.fullmatch, parts)):
            shown = str(Path(self.path.parent, *parts))
        else:
            shown = f"{self.path}#{number}"
            self.inside[shown] = str(self.path)
        self.skipped.append(Finding("dicomdir-file-missing", shown))


def _names_in(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the names in a folder: in capitals, and, to outweigh that, as they are."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return
    yield from ((one.upper(), one) for one in names)
    yield from ((one, one) for one in names)


def _head_of(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return None
