"""AWS HealthImaging as an archive: a data store of image sets, several a study perhaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from deidfhir.archive import aws
from deidfhir.archive.archive import (
    Changed,
    CursorLost,
    DicomJson,
    Gone,
    Query,
    StudyListed,
    StudyObjects,
    Take,
)
from deidfhir.archive.imagesets import Unreadable, instances_in, study_of
from deidfhir.archive.imagestore import ImageStore
from deidfhir.archive.summaries import Summary, fits, require_known
from deidfhir.archive.way import reaching
from deidfhir.errors import FatalError, UsageError
from deidfhir.web.timing import CONNECTIONS, DEFAULT_TIMEOUT, Clock

MARGIN = timedelta(minutes=5)
"""How far a position lies before now: the store has a clock of its own, and a search shows what
was written a while later."""

_ADDRESS = re.compile(r"(ahi://([0-9a-z]{32})(?:/([0-9a-z]{32}))?)/?(?:\?region=([a-z0-9-]+))?")


@dataclass(frozen=True, slots=True)
class HealthImaging:
    """A data store, or one image set of it.

    Args:
        store: The data store.
        image_set: Id of the one image set that is meant; empty for all.
    """

    store: ImageStore
    image_set: str = ""
    _listed: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)
    """Study Instance UID → its image sets, from when they were listed until they are read."""

    @property
    def shown(self) -> str:
        """The address."""
        return self.store.shown

    @property
    def dicomweb_root(self) -> str:
        """Nowhere: its DICOMweb takes only requests that are signed as AWS wants it."""
        return ""

    @property
    def connections(self) -> int:
        """How many requests may be under way."""
        return self.store.connections

    def require(self) -> None:
        """Look whether the library is there, and which region it would ask."""
        self.store.require()

    def studies(self, query: Query) -> Iterator[StudyListed]:
        """Yield the studies that are wanted, in the order in which they were first updated.

        Args:
            query: Which; an attribute that a search does not tell cannot be matched.

        Raises:
            UsageError: `ahi-filter`.
            RetriableError: AWS is down or busy.
            FatalError: There is no such data store, or we are not let in.
        """
        require_known(query.matching)
        found = self._of_one() if self.image_set else self._by_study(query)
        self._listed.clear()
        wanted = ((uid, told) for uid, told in found.items() if fits(told, query.matching))
        for count, (uid, told) in enumerate(wanted, 1):
            self._listed[uid] = [one.image_set for one in told]
            yield StudyListed(uid, _instances(told))
            if count == query.limit:
                return

    def _by_study(self, query: Query) -> dict[str, list[Summary]]:
        uid = query.matching.get("StudyInstanceUID", query.matching.get("0020000D", ""))
        found: dict[str, list[Summary]] = {}
        # Of what is matched, only this narrows a study down to all of its image sets.
        for one in self.store.search(*([_is_study(uid)] if re.fullmatch(r"[0-9.]+", uid) else [])):
            found.setdefault(one.study, []).append(one)
        return found

    def _of_one(self) -> dict[str, list[Summary]]:
        metadata = self._surely(self.image_set)
        tags = {
            "DICOMStudyInstanceUID": study_of(metadata),
            "DICOMNumberOfStudyRelatedInstances": sum(1 for _ in instances_in(metadata)),
        }
        only = Summary(self.image_set, tags)
        return {only.study: [only]}

    def _surely(self, image_set: str) -> object:
        """Return the metadata of an image set that is meant by itself.

        Raises:
            FatalError: It is not there, may not be read, or is none.
        """
        try:
            return self.store.metadata(image_set)
        except aws.Missing:
            fault = FatalError("archive-missing", place=self.shown)
        except aws.Denied:
            fault = self.store.denied()
        except Unreadable:
            fault = FatalError("answer-unexpected", url=self.shown, what="no metadata")
        raise fault

    def objects(self, study: StudyListed, take: Take, sample: int = 0) -> StudyObjects:
        """Return every instance of a study, of all of its image sets.

        Of an image set that is listed and cannot be read, nobody says how many instances it has:
        it counts as one. A sample saves no request, since metadata comes whole.

        Args:
            study: The study.
            take: Makes something of each instance.
            sample: How many instances of each series at most; 0 for all.

        Raises:
            Gone: It has none.
            RetriableError: AWS is down or busy.
            FatalError: We are not let in.
        """
        # One image set may be a part of the study: what it lacks is not gone (D19).
        found = StudyObjects()
        named = [self.image_set] if self.image_set else self._image_sets(study.uid)
        taken: dict[str, int] = {}
        for image_set in named:
            try:
                instances = self._read(image_set)
            except Unreadable:
                found.unreadable += 1
                continue
            for series, one in instances:
                taken[series] = taken.get(series, 0) + 1
                if not sample or taken[series] <= sample:
                    found.objects.append(take(one))
        if not found.objects and not found.unreadable:
            raise Gone
        return found

    def _image_sets(self, study: str) -> list[str]:
        listed = self._listed.pop(study, None)
        if listed is None:
            listed = [one.image_set for one in self.store.search(_is_study(study))]
        return sorted(listed)

    def _read(self, image_set: str) -> list[tuple[str, DicomJson]]:
        """Return the instances of an image set with their series, none if it was deleted.

        Raises:
            Unreadable: They cannot be had, though it is listed.
        """
        try:
            found = list(instances_in(self.store.metadata(image_set)))
        except aws.Denied:
            raise Unreadable from None
        except aws.Missing:
            if not self.store.is_deleted(image_set):
                raise Unreadable from None
            return []
        if not found:  # an image set is made of instances
            raise Unreadable
        return found

    def position(self) -> str | None:
        """Return an instant a while ago; None for one image set, which is always read."""
        return None if self.image_set else self._safe().isoformat()

    def _safe(self) -> datetime:
        return datetime.fromtimestamp(int(self.store.clock.now()), UTC) - MARGIN

    def changed(self, since: str) -> Changed:
        """Return the studies with an image set that was updated since an instant.

        A search tells nothing of image sets that were deleted, so all are to be counted.

        Args:
            since: The instant.

        Raises:
            CursorLost: It is none, or is to come.
        """
        position = self._safe()
        try:
            begin = datetime.fromisoformat(since)
        except ValueError:
            raise CursorLost from None
        if begin.tzinfo is None or begin > position + MARGIN:
            raise CursorLost
        # Beyond now: the store's clock may be ahead of ours.
        window = [{"updatedAt": begin}, {"updatedAt": position + 2 * MARGIN}]
        found = self.store.search({"operator": "BETWEEN", "values": window})
        studies = frozenset(one.study for one in found if one.study)
        return Changed(position.isoformat(), studies, recount=True)

    def walk(self) -> dict[str, Callable[[], str | None]]:
        """Return what walks each leg of the way to it."""
        first = [self.image_set] if self.image_set else []

        def search() -> str | None:
            page = self.store.page(1)
            first.extend(one["imageSetId"] for one in page["imageSetsMetadataSummaries"])
            return None if first else "archive-empty"

        def metadata() -> str | None:
            for one in first[:1]:
                self._surely(one)
            return None if first else "archive-empty"

        def reached(name: str) -> str | None:
            return reaching(self.store.reach())[name]()

        return {
            "site": self.require,
            **{name: partial(reached, name) for name in ("dns", "tcp", "tls")},
            "credentials": self.store.require_credentials,
            "search": search,
            "metadata": metadata,
            "changes": lambda: None if self.position() else "changes-untold",
        }


def _instances(told: list[Summary]) -> int | None:
    """Return what changes when an image set of a study comes or goes.

    Whether the service counts the instances of the image set or of its study is not published.
    """
    counts = [one.instances for one in told]
    return sum(one or 0 for one in counts) if any(counts) else None


def _is_study(uid: str) -> dict[str, Any]:
    return {"operator": "EQUAL", "values": [{"DICOMStudyInstanceUID": uid}]}


def open_healthimaging(
    address: str,
    timeout: float = DEFAULT_TIMEOUT,
    connections: int = CONNECTIONS,
    clock: Clock | None = None,
) -> HealthImaging:
    """Return the archive at an address; nobody is asked yet.

    Args:
        address: `ahi://DATASTORE` or `ahi://DATASTORE/IMAGESET`, with `?region=…` or without.
        timeout: Seconds for one answer.
        connections: Requests under way at most.
        clock: The time; the system's by default.

    Raises:
        UsageError: `ahi-form`.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError("ahi-form")
    given = (timeout, connections, clock or Clock())
    store = ImageStore(found[2], found[1], found[4] or "", *given)
    return HealthImaging(store, found[3] or "")
