"""What a run reads: a source of studies, and what it knows of earlier runs of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.told import Told
from deidfhir.sync.journal import Journal
from deidfhir.sync.settled import Settled

Tell = Callable[[int], None]
"""Told how many things were looked at so far; it may end the run by an error."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a sync knows of earlier runs.

    Args:
        journal: The target's.
        by: Stands for all that decides what is made of objects.
        begun: When the run began, in seconds since the epoch.
        full: Whether to read all, whatever is known.
        id_of: Study Instance UID → id of the ImagingStudy.
    """

    journal: Journal
    by: str
    begun: float
    full: bool
    id_of: Callable[[str], str]


class Changes(Protocol):
    """What has changed in a source since earlier runs, of one sync."""

    def read(self, tell: Tell, workers: int) -> Reading:
        """Read what has changed, and what belongs to it.

        Args:
            tell: Told how many things were looked at.
            workers: How many processes may read.
        """

    def keep(
        self, settled: Mapping[str, Settled], told: Mapping[str, Told], *, is_done: bool
    ) -> None:
        """Let the journal know what need not be read again.

        Args:
            settled: The studies that the run leaves settled, by the id of their ImagingStudy.
            told: What was told of each study that was read, by the same id.
            is_done: Whether the run came to its end.
        """


class Source(Protocol):
    """Where studies come from."""

    counted: ClassVar[str]
    """What is counted while it is read, such as `files read`."""

    def require(self) -> None:
        """Look whether it can be read, before anything is read or written.

        Raises:
            UsageError: It cannot.
        """

    def read(self, tell: Tell, workers: int) -> Reading:
        """Read all of it.

        Args:
            tell: Told how many things were looked at.
            workers: How many processes may read.
        """

    def changes(self, before: Before) -> Changes:
        """Return what reads what has changed since earlier runs."""
