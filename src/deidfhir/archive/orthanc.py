"""Orthanc: DICOMweb by its plugin, and its own log of changes by its REST API.

The log tells what came and what became stable, by Orthanc's own identifiers. It does not tell what
was deleted: so the studies are counted each time, which takes one search and no metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deidfhir.archive.archive import Changed, CursorLost
from deidfhir.archive.dicomweb import DicomWeb
from deidfhir.archive.search import unanswered
from deidfhir.errors import FatalError
from deidfhir.model.uid import is_usable
from deidfhir.web.outcome import Rejected
from deidfhir.web.transport import Transport

_LEVELS = {"Study": "studies", "Series": "series", "Instance": "instances"}
_COMING = frozenset(
    {"NewStudy", "NewSeries", "NewInstance", "StableStudy", "StableSeries", "UpdatedAttachment"}
)
"""What may change what a study states; patients and metadata of Orthanc's own do not."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Orthanc(DicomWeb):
    """An Orthanc server with its DICOMweb plugin.

    Args:
        rest: Asks its REST API.
    """

    rest: Transport

    def position(self) -> str | None:
        """Return the number of the last entry of the log, and when that was made."""
        page = self._asked("/changes?last")
        return _position(self._number(page, "Last"), _entries(page))

    def changed(self, since: str) -> Changed:
        """Return the studies of what came since an entry of the log.

        Args:
            since: A position.

        Raises:
            CursorLost: The log was cleared, or is another one.
        """
        number = _number_of(since)
        self._require_log(number, since)
        come: dict[str, str] = {}
        while True:
            page = self._asked(f"/changes?since={number}&limit={_PAGE}")
            for one in _entries(page):
                level = _LEVELS.get(str(one.get("ResourceType")), "")
                if level and one.get("ChangeType") in _COMING:
                    come[str(one.get("ID"))] = level
                since = _position(number, [one])
            last = self._number(page, "Last")
            if page.get("Done") is not False or last <= number:
                return Changed(since, self._studies(come), recount=True)
            number = last

    def _require_log(self, number: int, since: str) -> None:
        """Require that the log is the one of which a position is, and still goes back to it.

        Entries go with what they are about; only where the log was cleared, all are gone that were
        there. What another log has before that place was made later.
        """
        if not number:
            return
        (at, *_) = _entries(self._asked(f"/changes?since={number - 1}&limit=1")) or [{}]
        if at.get("Seq") == number:
            if _position(number, [at]) != since:
                raise CursorLost
            return
        (first, *_) = _entries(self._asked("/changes?since=0&limit=1")) or [{}]
        seq, made = first.get("Seq"), str(first.get("Date", ""))
        if not isinstance(seq, int) or seq > number or made > since.partition("@")[2]:
            raise CursorLost

    def _studies(self, come: dict[str, str]) -> frozenset[str]:
        """Return the UIDs of the studies of what came: two requests a study, however much it was.

        Args:
            come: Orthanc's identifier → its level; it is emptied.
        """
        found: set[str] = set()
        while come:
            identity, level = come.popitem()
            path = f"/{level}/{identity}" + ("" if level == "studies" else "/study")
            study = self._object(path)
            if study is None:
                continue  # it has gone again
            tags = study.get("MainDicomTags")
            uid = tags.get("StudyInstanceUID") if isinstance(tags, dict) else ""
            if isinstance(uid, str) and is_usable(uid):
                found.add(uid)
            come.pop(str(study.get("ID")), None)
            for series in study.get("Series") or []:
                come.pop(str(series), None)
            for one in self._listed(f"/studies/{study.get('ID')}/series"):
                for instance in one.get("Instances") or []:
                    come.pop(str(instance), None)
        return frozenset(found)

    def _object(self, path: str) -> dict[str, Any] | None:
        listed = self._listed(path)
        return listed[0] if listed else None

    def _listed(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of an answer; none where there is nothing any more."""
        try:
            return list(self.rest.send("GET", path, take=dict).taken)
        except Rejected as refused:
            if refused.status == 404:
                return []
            raise unanswered(self.rest.shown_url, refused, "not-orthanc") from None

    def _asked(self, path: str) -> dict[str, Any]:
        found = self._object(path)
        if found is None:
            raise self._unspoken(404)
        return found

    def _number(self, found: dict[str, Any], name: str) -> int:
        number = found.get(name)
        if not isinstance(number, int):
            raise self._unspoken(200)
        return number

    def _unspoken(self, status: int) -> FatalError:
        return FatalError("not-orthanc", url=self.rest.shown_url, status=status)


def _number_of(position: str) -> int:
    """Return the number of an entry from a position.

    Raises:
        CursorLost: It is none.
    """
    number = position.partition("@")[0]
    if not (number.isascii() and number.isdigit()):
        raise CursorLost
    return int(number)


def _position(number: int, entries: list[dict[str, Any]]) -> str:
    """Return the position of the last of some entries: its number, and when it was made."""
    if not entries:
        return str(number)
    return f"{entries[-1].get('Seq', number)}@{entries[-1].get('Date', '')}"


def _entries(page: dict[str, Any]) -> list[dict[str, Any]]:
    listed = page.get("Changes")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
