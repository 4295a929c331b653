"""Azure's DICOM service: DICOMweb, and its change feed, which also tells what was deleted."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.archive.archive import Changed
from deidfhir.archive.changefeed import ChangeFeed
from deidfhir.archive.dicomweb import DicomWeb
from deidfhir.model.uid import is_usable

_EMPTY = "0"
"""The position in a feed without entries."""


@dataclass(frozen=True, slots=True)
class AzureDicom(DicomWeb):
    """A DICOM service, or one data partition of it.

    Args:
        feed: Its change feed, which is of all partitions.
        partition: The name of the partition; empty if the service has none.
    """

    feed: ChangeFeed
    partition: str = ""

    def position(self) -> str | None:
        """Return number and instant of the last entry of the feed."""
        last = self.feed.latest()
        return last.position if last is not None else _EMPTY

    def changed(self, since: str) -> Changed:
        """Return the studies of what was entered since, be it created, updated or deleted.

        What the entries give of the instances is not taken: of a study that has changed, all is
        asked for, and what it was in between is of no account.

        Args:
            since: A position.

        Raises:
            CursorLost: The feed no longer has that entry, or is another one.
        """
        position, number = since, -1
        studies: set[str] = set()
        for one in self.feed.since("" if since == _EMPTY else since):
            if one.sequence > number:
                position, number = one.position, one.sequence
            ours = one.partition in ("", self.partition) or not self.partition
            if ours and is_usable(one.study):
                studies.add(one.study)
        return Changed(position, frozenset(studies))
