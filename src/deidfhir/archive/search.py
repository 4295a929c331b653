"""QIDO-RS (PS3.18 10.6): pages of studies, series and instances, also where they shift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from deidfhir.archive.archive import Query, StudyListed, Unsteady
from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.model.attributes import by_keyword
from deidfhir.model.uid import is_usable
from deidfhir.web.outcome import Rejected
from deidfhir.web.transport import Transport

STUDY, SERIES, INSTANCE = "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"
_INSTANCES_OF_STUDY = "00201208"
"""Number of Study Related Instances, which every server returns (PS3.18 Table 10.6.3-3).

It is not asked for: Orthanc would give what the objects state by that tag, not what it counts.
"""

_PASSES = 5
"""How often a listing is begun anew because it shifted."""


@dataclass(frozen=True, slots=True)
class Search:
    """Searches of one archive.

    Args:
        transport: Asks it.
        page: How many results are asked for at a time; a server may give fewer.
        furthest: The highest offset that the server takes; 0 for any.
        include: Keyword of what else a search for studies is asked to return; empty for nothing.
    """

    transport: Transport
    page: int = 200
    furthest: int = 0
    include: str = ""

    def studies(self, query: Query) -> Iterator[StudyListed]:
        """Yield the studies that match, each once.

        Args:
            query: What they must match, and how many are wanted.

        Raises:
            Unsteady: At the end: the list shifted all the while, and something may be missing.
        """
        counts: dict[str, int | None] = {}
        for uid in self._each("/studies", query.matching, STUDY, counts, query.limit):
            yield StudyListed(uid, counts[uid])

    def series(self, study: str) -> list[str]:
        """Return the series of a study.

        Args:
            study: Study Instance UID.

        Raises:
            Unsteady: The list shifted all the while.
        """
        return list(self._each(f"/studies/{study}/series", {}, SERIES, {}))

    def first_series(self, study: str) -> list[str]:
        """Return the series of a study that one page holds, which most often are all.

        Args:
            study: Study Instance UID.
        """
        page = self.page_of(f"/studies/{study}/series", {}, SERIES, 0, self.page)
        return list(dict.fromkeys(uid for uid, _ in page))

    def instances(self, study: str, series: str, limit: int = 0) -> list[str]:
        """Return the instances of a series.

        Args:
            study: Study Instance UID.
            series: Series Instance UID.
            limit: How many at most; 0 for all.

        Raises:
            Unsteady: The list shifted all the while.
        """
        path = f"/studies/{study}/series/{series}/instances"
        return list(self._each(path, {}, INSTANCE, {}, limit))

    def _each(
        self,
        path: str,
        matching: Mapping[str, str],
        keyword: str,
        counts: dict[str, int | None],
        limit: int = 0,
    ) -> Iterator[str]:
        """Yield the UIDs of what matches, each once; an unusable one as an empty text, once.

        What goes or comes while pages are read moves all that stands behind it. So each page begins
        with the last result of the page before: where that stands elsewhere, all is listed anew.
        """
        seen: set[str] = set()
        for turn in range(_PASSES):
            pages = _Pages(self, path, matching, keyword, is_last_turn=turn == _PASSES - 1)
            for uid, count in pages:
                if uid not in seen:
                    seen.add(uid)
                    counts[uid] = count
                    yield uid
                    if limit and len(seen) >= limit:
                        return
            if not pages.shifted:
                return
        raise Unsteady

    def page_of(
        self, path: str, matching: Mapping[str, str], keyword: str, offset: int, limit: int
    ) -> list[tuple[str, int | None]]:
        """Return one page: UIDs, each with how many instances there are, where that is told.

        Args:
            path: What is searched.
            matching: Parameters of the search.
            keyword: Keyword of the UID.
            offset: How many results are passed over.
            limit: How many there may be at most.

        Raises:
            FatalError: `archive-too-long`: the server does not list so many.
        """
        tag = f"{by_keyword('object')[keyword].tag:08X}"
        if self.furthest and offset > self.furthest:
            most = self.furthest
            raise FatalError("archive-too-long", url=self.transport.shown_url, most=most)
        more = {"includefield": self.include} if self.include and path == "/studies" else {}
        asked = urlencode({**matching, **more, "limit": limit, "offset": offset})
        answer = self.transport.send(
            "GET",
            f"{path}?{asked}",
            take=lambda one: (_uid(one, tag), _count(one)),
        )
        return list(answer.taken)


def unanswered(url: str, rejected: Rejected, code: str = "archive-refused") -> DeidFhirError:
    """Return what it means that an archive gives no answer of use, after some repetitions.

    Args:
        url: Its address, without credentials.
        rejected: What it says instead.
        code: Of the error where it is not the archive that failed.
    """
    if rejected.status >= 500:
        return RetriableError("target-down", url=url, what=f"HTTP {rejected.status}")
    return FatalError(code, url=url, status=rejected.status)


class _Pages:
    """The pages of one pass over a list."""

    def __init__(
        self,
        search: Search,
        path: str,
        matching: Mapping[str, str],
        keyword: str,
        *,
        is_last_turn: bool,
    ) -> None:
        self._search, self._asked = search, (path, matching, keyword)
        self._is_last_turn = is_last_turn
        self.shifted = False

    def __iter__(self) -> Iterator[tuple[str, int | None]]:
        offset, last, been = 0, "", set[str]()
        while True:
            overlap = 1 if offset else 0
            most = self._search.page + overlap
            page = self._search.page_of(*self._asked, offset - overlap, most)
            if overlap and (not page or page[0][0] != last):
                if self._is_unpaged(page, offset):
                    return
                self.shifted = True
                if not self._is_last_turn:
                    return
            elif overlap:
                page = page[1:]
            # What comes again and again, whatever is passed over, would have no end.
            if not page or been.issuperset(uid for uid, _ in page):
                return
            yield from page
            been.update(uid for uid, _ in page)
            offset += len(page)
            last = page[-1][0]

    def _is_unpaged(self, page: list[tuple[str, int | None]], offset: int) -> bool:
        """Whether a server gives all that it has, however little of it is asked for."""
        return len(page) == offset > 1 and self._search.page_of(*self._asked, offset, 1) == page


def _uid(result: dict[str, Any], tag: str) -> str:
    """Return the UID of a result; an empty text for one that cannot stand in an address."""
    uid = _first(result, tag)
    usable = isinstance(uid, str) and is_usable(uid) and uid.strip(".-") != ""
    return str(uid) if usable else ""


def _count(result: dict[str, Any]) -> int | None:
    count = _first(result, _INSTANCES_OF_STUDY)
    try:
        return int(count) if isinstance(count, (int, str)) else None
    except ValueError:
        return None


def _first(result: dict[str, Any], tag: str) -> object:
    """Return the first value of an element; PS3.18 F.2 writes tags in capitals, some do not."""
    element = result.get(tag) or result.get(tag.lower())
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values else None
