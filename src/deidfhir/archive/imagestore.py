"""A data store of AWS HealthImaging: what is searched for and read there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from deidfhir.archive import aws
from deidfhir.archive.imagesets import MOST, unpacked
from deidfhir.archive.summaries import Summary
from deidfhir.errors import FatalError, RetriableError
from deidfhir.web.access.connection import Connection
from deidfhir.web.access.reach import Reach
from deidfhir.web.timing import Clock

_PAGE = 50
"""The most that a search tells at a time."""

_TRIES = 3
_PAUSE = 0.5
_CHUNK = 1024 * 1024


class _Broken(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(self, reason: RetriableError) -> None:
        super().__init__()
        self.reason = reason


@dataclass(slots=True)
class ImageStore:
    """One data store.

    Args:
        datastore: Its id.
        shown: How it is named in messages.
        region: AWS's region; empty for what the library finds by its own chain.
        timeout: Seconds for one answer.
        connections: Requests under way at most.
        clock: The time.
        made: The client; by default that of AWS's own library, opened when it is needed.
    """

    datastore: str
    shown: str
    region: str
    timeout: float
    connections: int
    clock: Clock
    made: Any = None
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def require(self) -> None:
        """Look whether the library is there, and which region it would ask.

        Raises:
            UsageError: `aws-region`.
            FatalError: `extra-missing`.
            FatalError: `archive-credentials`: the profile is not there.
        """
        if self.made is None:
            aws.session(self.shown, self.region)

    def require_credentials(self) -> None:
        """Look whether credentials are to be had; whoever issues them may be asked.

        Raises:
            FatalError: `archive-credentials`.
            RetriableError: Whoever issues them is silent.
        """
        aws.require_credentials(self.shown, self.region, self.timeout)

    def reach(self) -> Reach:
        """Return the way to the service, with the authorities that the library trusts.

        Raises:
            UsageError: `aws-region`.
            FatalError: `extra-missing`.
            FatalError: `archive-credentials`: the profile is not there.
        """
        trusted = Connection(ca=os.environ.get("AWS_CA_BUNDLE") or None)
        return Reach(aws.endpoint(self._client()), trusted, self.timeout, "/")

    def search(self, *filters: Mapping[str, Any]) -> Iterator[Summary]:
        """Yield what a search tells, each image set once, oldest update first.

        What is updated meanwhile goes to the end and is told once more; nothing is passed over.

        Args:
            filters: As SearchImageSets takes them.

        Raises:
            RetriableError: AWS is down or busy.
            FatalError: There is no such data store, or we are not let in.
        """
        criteria: dict[str, Any] = {"sort": {"sortField": "updatedAt", "sortOrder": "ASC"}}
        if filters:
            criteria["filters"] = list(filters)
        asked: dict[str, Any] = {"searchCriteria": criteria}
        told: set[str] = set()
        while True:
            page = self.page(_PAGE, **asked)
            for one in page["imageSetsMetadataSummaries"]:
                if one["imageSetId"] not in told:
                    told.add(one["imageSetId"])
                    yield Summary(one["imageSetId"], one.get("DICOMTags") or {})
            token = page.get("nextToken")
            if not token:
                return
            if token == asked.get("nextToken"):
                raise FatalError("answer-unexpected", url=self.shown, what="the same page again")
            asked["nextToken"] = token

    def page(self, most: int, **asked: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as it is sent
        """Return one page of a search.

        Args:
            most: How many image sets at most.
            asked: Further parameters of SearchImageSets.

        Raises:
            RetriableError: AWS is down or busy.
            FatalError: There is no such data store, or we are not let in.
        """
        try:
            found: Mapping[str, Any] = self._asked("search_image_sets", maxResults=most, **asked)
        except aws.Missing:
            raise FatalError("archive-missing", place=self.shown) from None
        except aws.Denied:
            raise self.denied() from None
        return found

    def metadata(self, image_set: str) -> object:
        """Return what is read of the metadata of an image set.

        Args:
            image_set: Its id.

        Raises:
            Missing: It is not there.
            Denied: It may not be read.
            Unreadable: It is no JSON, or too large.
            RetriableError: AWS is down or busy.
            FatalError: We are not let in.
        """

        def read() -> bytes:
            body = self._asked("get_image_set_metadata", imageSetId=image_set)
            taken = partial(_content, body["imageSetMetadataBlob"])
            try:
                return aws.answered(self.shown, self.timeout, taken)
            except RetriableError as reason:
                raise _Broken(reason) from None

        return unpacked(self._again(read))

    def _again(self, read: Callable[[], bytes]) -> bytes:
        """Return what is read, once more where its body broke: the library repeats none."""
        for number in range(_TRIES):
            try:
                return read()
            except _Broken as broken:
                reason = broken.reason
            self.clock.sleep(_PAUSE * 2**number * self.clock.random())
        raise reason

    def is_deleted(self, image_set: str) -> bool:
        """Whether AWS says of an image set that it was deleted; a search may list it for a while.

        Args:
            image_set: Its id.
        """
        try:
            told = self._asked("get_image_set", imageSetId=image_set)
        except (aws.Missing, aws.Denied):
            return False
        return bool(told.get("imageSetState") == "DELETED")

    def denied(self) -> FatalError:
        """Return the error of a request that AWS does not allow."""
        return FatalError("unauthorised", url=self.shown, status=403)

    def _asked(self, operation: str, **asked: Any) -> Any:  # noqa: ANN401 - the library has no types
        ask = getattr(self._client(), operation)
        work = partial(ask, datastoreId=self.datastore, **asked)
        return aws.answered(self.shown, self.timeout, work)

    def _client(self) -> Any:  # noqa: ANN401 - the library has no types
        with self._lock:
            if self.made is None:
                self.made = aws.client(self.shown, self.region, self.timeout, self.connections)
            return self.made


def _content(body: Any) -> bytes:  # noqa: ANN401 - the library has no types
    """Return the bytes of an answer, up to its end or one more than are read."""
    content = bytearray()
    while len(content) <= MOST:
        chunk = body.read(_CHUNK)
        if not chunk:
            break
        content += chunk
    return bytes(content)
