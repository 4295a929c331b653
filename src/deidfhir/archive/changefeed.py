"""The change feed of Azure's DICOM service, versions 1 and 2 of its API: pages of what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from deidfhir.archive.archive import CursorLost
from deidfhir.archive.search import unanswered
from deidfhir.errors import FatalError
from deidfhir.web.outcome import Rejected
from deidfhir.web.transport import Transport

MARGIN = timedelta(minutes=5)
"""How far before the last entry a window begins: of what is entered at the same time, what has the
higher number may have the earlier instant."""

_LIMITS = {"v1": 100, "v2": 200}
"""How many entries a page may have."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Args:
        sequence: Its number.
        at: When it was made, as the service writes it.
        study: Study Instance UID.
        partition: Name of the data partition; empty if the service names none.
    """

    sequence: int
    at: str
    study: str
    partition: str

    @property
    def position(self) -> str:
        """What the journal keeps."""
        return f"{self.sequence}@{self.at}"


@dataclass(frozen=True, slots=True)
class ChangeFeed:
    """The change feed of one service.

    Args:
        transport: Asks it; its base URL ends with the version of the API.
        version: `v1` or `v2`.
    """

    transport: Transport
    version: str

    def latest(self) -> Entry | None:
        """Return the last entry; None if there is none.

        Raises:
            FatalError: `not-azure`.
        """
        return next(iter(self._asked("/changefeed/latest", {})), None)

    def since(self, position: str) -> Iterator[Entry]:
        """Yield what was entered since a position.

        Args:
            position: As `Entry.position` gave it; empty for the beginning.

        Raises:
            CursorLost: The feed no longer has the entry of that position.
            FatalError: `not-azure`.
        """
        number, at = _parsed(position)
        if self.version == "v1":
            return self._numbered(number, at)
        return self._timed(number, at)

    def _numbered(self, number: int, at: str) -> Iterator[Entry]:
        """Yield by numbers: a page is of so many numbers, of which some may not be given."""
        if number:
            held = self._asked("/changefeed", {"offset": number - 1, "limit": 1})
            if [(one.sequence, one.at) for one in held] != [(number, at)]:
                raise CursorLost
        last = self.latest()
        while last is not None and number < last.sequence:
            page = self._asked("/changefeed", {"offset": number, "limit": _LIMITS["v1"]})
            yield from page
            if page and page[-1].sequence <= number:
                raise self._again()
            number = page[-1].sequence if page else number + _LIMITS["v1"]

    def _timed(self, number: int, at: str) -> Iterator[Entry]:
        """Yield by the instants of entries: pages of one window that ends nowhere."""
        window = {"startTime": (_instant(at) - MARGIN).isoformat()} if number else {}
        is_there, offset = not number, 0
        before: list[Entry] = []
        while True:
            asked = {**window, "offset": offset, "limit": _LIMITS["v2"]}
            page = self._asked("/changefeed", asked)
            if not page:
                break
            if page == before:
                raise self._again()
            is_there |= any((one.sequence, one.at) == (number, at) for one in page)
            yield from (one for one in page if one.sequence > number)
            offset, before = offset + len(page), page
        if not is_there:
            raise CursorLost

    def _again(self) -> FatalError:
        what = "the same page again"
        return FatalError("answer-unexpected", url=self.transport.shown_url, what=what)

    def _asked(self, path: str, asked: dict[str, Any]) -> list[Entry]:
        query = urlencode({**asked, "includeMetadata": "false"})
        try:
            found = self.transport.send("GET", f"{path}?{query}", take=_entry).taken
        except Rejected as rejected:
            raise unanswered(self.transport.shown_url, rejected, "not-azure") from None
        if None in found:
            raise FatalError("not-azure", url=self.transport.shown_url, status=200)
        return list(found)


def _entry(found: dict[str, Any]) -> Entry | None:
    """Return an entry; None for what is none."""
    sequence, at, study = (found.get(key) for key in ("Sequence", "Timestamp", "StudyInstanceUid"))
    if not isinstance(sequence, int) or not isinstance(at, str) or not isinstance(study, str):
        return None
    return Entry(sequence, at, study, str(found.get("PartitionName") or ""))


def _parsed(position: str) -> tuple[int, str]:
    """Return number and instant of a position.

    Raises:
        CursorLost: It is none.
    """
    number, _, at = position.partition("@")
    if not position:
        return 0, ""
    if not (number.isascii() and number.isdigit()):
        raise CursorLost
    _instant(at)
    return int(number), at


def _instant(text: str) -> datetime:
    """Return an instant.

    Raises:
        CursorLost: It is none, or has no zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CursorLost from None
    if found.tzinfo is None:
        raise CursorLost
    return found
