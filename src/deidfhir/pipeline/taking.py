"""What readers of one file give to whoever reads the slice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from deidfhir.dicom.elements import Header


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file, or a member of one, of which objects are taken.

    Args:
        path: Its path, as the operator named it; a member's stands behind that of its container.
        name: The same without what is before the names of its slice.
        within: The path of the file, or of the container.
        stands_for: What stands for the file as it is now, or for the container.
    """

    path: str
    name: str
    within: str
    stands_for: str

    def member(self, name: str) -> FileRead:
        """Return a member of it.

        Args:
            name: Its name.
        """
        return replace(self, path=f"{self.path}/{name}", name=f"{self.name}/{name}")


class Taker(Protocol):
    """Takes what is read of a slice."""

    def take(self, header: Header, file: FileRead) -> None:
        """Take in an object.

        Args:
            header: What was read of it.
            file: In which it is.

        Raises:
            ObjectSkipped: It cannot be used.
        """

    def skip(self, code: str, path: str, within: str = "") -> None:
        """Tell that something was skipped for cause.

        Args:
            code: Why.
            path: What.
            within: The path of the file in which it is.
        """

    def pass_over(self, path: str, *, doubtful: bool, within: str = "") -> None:
        """Count what is no DICOM at all.

        Args:
            path: What.
            doubtful: Whether it may have been an object once.
            within: The path of the file in which it is.
        """
