"""A DICOMweb archive: studies by QIDO-RS, what their instances state by WADO-RS metadata.

What a search returns says nothing of the markers: a server need not return what is asked for by
`includefield` (PS3.18 10.6.3), and an attribute that is not returned is not absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from deidfhir.archive.archive import (
    Changed,
    CursorLost,
    Gone,
    Query,
    StudyListed,
    StudyObjects,
    Take,
    Unsteady,
)
from deidfhir.archive.search import STUDY, Search, unanswered
from deidfhir.archive.way import Way
from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.web.outcome import Rejected
from deidfhir.web.speech import DICOMWEB
from deidfhir.web.transport import Transport

_TOO_MUCH = ("target-silent", "too-large")
"""Errors after which a series is asked for instance by instance: in one answer it is too much."""

_GONE, _OK = (404, 410), 200


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """A DICOMweb archive.

    Args:
        transport: Asks it; its base URL is the root of the services (PS3.18 8.2).
        search: Its searches.
    """

    transport: Transport
    search: Search

    @property
    def shown(self) -> str:
        """Its root without credentials."""
        return self.transport.shown_url

    @property
    def dicomweb_root(self) -> str:
        """Its root."""
        return self.transport.shown_url

    @property
    def connections(self) -> int:
        """How many requests may be under way."""
        return self.transport.pace.most

    def require(self) -> None:
        """Look whether the files and secrets of the access file are of use."""
        self.transport.access.prepare(self.transport.base_url)

    def studies(self, query: Query) -> Iterator[StudyListed]:
        """Yield the studies that match."""
        try:
            yield from self.search.studies(query)
        except Rejected as refused:
            raise unanswered(self.shown, refused) from None

    def objects(self, study: StudyListed, take: Take, sample: int = 0) -> StudyObjects:
        """Return every instance of a study: one request a series."""
        found = StudyObjects()
        # Where so many came as there are, none of its series stands on another page.
        known = self._series(study.uid, first=study.instances is not None and not sample)
        full = self._read(study.uid, known, take, sample, found)
        if not sample and self._count(found) < (study.instances or 0):
            rest = [one for one in self._series(study.uid) if one not in known]
            full &= self._read(study.uid, rest, take, sample, found)
        count = self._count(found)
        if not count or (not sample and self._is_doubtful(study, count, full=full)):
            found.unreadable += self._missing(study.uid, count)
        if not self._count(found):
            raise Gone
        return found

    @staticmethod
    def _is_doubtful(study: StudyListed, count: int, *, full: bool) -> bool:
        """Whether something may be missing: fewer came than there are, or a series gave nothing."""
        return not full if study.instances is None else count < study.instances

    @staticmethod
    def _count(found: StudyObjects) -> int:
        return len(found.objects) + found.unreadable

    def _read(
        self, study: str, every: list[str], take: Take, sample: int, found: StudyObjects
    ) -> bool:
        """Read series; whether each of them gave something."""
        full = True
        for series in every:
            before = self._count(found)
            if sample:
                instances = self._instances(study, series, sample)
                self._one_by_one(study, series, instances, take, found)
            else:
                self._whole(study, series, take, found)
            full &= self._count(found) > before
        return full

    def position(self) -> str | None:
        """Return None: DICOMweb tells no changes."""
        return None

    def changed(self, since: str) -> Changed:
        """Tell nothing."""
        raise CursorLost(since)

    def walk(self) -> Mapping[str, Callable[[], str | None]]:
        """Return what walks each leg of the way to it."""
        return Way(self).steps()

    def _series(self, study: str, *, first: bool = False) -> list[str]:
        try:
            return self.search.first_series(study) if first else self.search.series(study)
        except Unsteady:
            raise RetriableError("archive-unsteady", url=self.shown) from None
        except Rejected as refused:
            if refused.status in _GONE:
                return []
            raise unanswered(self.shown, refused) from None

    def _whole(self, study: str, series: str, take: Take, found: StudyObjects) -> None:
        path = f"/studies/{study}/series/{series}/metadata"
        try:
            found.objects += self.transport.send("GET", path, take=take).taken
        except (RetriableError, FatalError) as error:
            if error.code not in _TOO_MUCH and not _is_garbled(error):
                raise
            self._one_by_one(study, series, self._instances(study, series), take, found)
        except Rejected as refused:
            if refused.status not in _GONE:
                self._one_by_one(study, series, self._instances(study, series), take, found)

    def _instances(self, study: str, series: str, limit: int = 0) -> list[str]:
        try:
            return self.search.instances(study, series, limit)
        except Unsteady:
            raise RetriableError("archive-unsteady", url=self.shown) from None
        except Rejected as refused:
            if refused.status in _GONE:
                return []
            raise unanswered(self.shown, refused) from None

    def _one_by_one(
        self, study: str, series: str, instances: list[str], take: Take, found: StudyObjects
    ) -> None:
        """Ask for instances each for itself: one that the archive fails on is counted."""
        for one in instances:
            path = f"/studies/{study}/series/{series}/instances/{one}/metadata"
            try:
                found.objects += self.transport.send("GET", path, take=take).taken
            except Rejected as refused:
                found.unreadable += refused.status not in _GONE
            except FatalError as error:
                if not _is_garbled(error):
                    raise
                found.unreadable += 1

    def _missing(self, study: str, count: int) -> int:
        """Return how many instances the archive says a study has beyond those that it gave.

        Asked after they were read: what came meanwhile may be missing, too, and is told of. A study
        that gave none, and that is listed still, or of which nobody says so, lacks one at least.
        """
        least = 0 if count else 1
        try:
            listed = list(self.search.studies(Query({STUDY: study})))
        except Unsteady:
            return least
        except Rejected as refused:
            return least if refused.status not in _GONE else 0
        told = [one.instances for one in listed if one.uid == study]
        if not told:
            return 0
        return least if told[0] is None else max(0, told[0] - count)


def _is_garbled(error: DeidFhirError) -> bool:
    """Whether what an archive gives of something is no JSON, as where its text is in no UTF-8."""
    return error.code == DICOMWEB.wrong and error.details.get("status") == _OK
