"""The way to a DICOMweb archive, leg by leg, as `doctor` walks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deidfhir.archive.archive import Gone, Query, Unsteady
from deidfhir.archive.search import unanswered
from deidfhir.errors import RetriableError
from deidfhir.web.access.reach import Reach
from deidfhir.web.address import is_loopback
from deidfhir.web.connections import within
from deidfhir.web.outcome import Rejected

if TYPE_CHECKING:
    from deidfhir.archive.dicomweb import DicomWeb

Leg = Callable[[], str | None]


def reaching(reach: Reach) -> dict[str, Leg]:
    """Return what walks the legs up to a first answer.

    Args:
        reach: The way to the host.
    """

    def tls() -> str | None:
        reach.first_answer()
        parts = urlsplit(reach.url)
        if parts.scheme == "https":
            return None
        return "tls-absent" if is_loopback(parts.hostname or "") else "tls-absent-network"

    return {"dns": reach.resolve, "tcp": reach.connect, "tls": tls}


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one archive.

    Args:
        archive: The archive.
    """

    archive: DicomWeb

    def steps(self) -> dict[str, Leg]:
        """Return what walks each leg."""
        transport = self.archive.transport
        reach = Reach(
            self.archive.shown, transport.access.connection, transport.timeout, "/studies?limit=1"
        )

        return {
            "site": self.archive.require,
            **reaching(reach),
            "credentials": self._credentials,
            "search": self._search,
            "metadata": self._metadata,
            "changes": self._changes,
        }

    def _credentials(self) -> str | None:
        """Ask for a token, where credentials are of that kind."""
        credentials, seconds = (
            self.archive.transport.access.credentials,
            self.archive.transport.timeout,
        )
        try:
            within(seconds, credentials.authorisation)
        except TimeoutError:
            raise RetriableError("token-silent", seconds=seconds) from None
        return None

    def _search(self) -> str | None:
        return None if self._some_study() else "archive-empty"

    def _some_study(self) -> str:
        """Return the UID of one study of the archive, or nothing where there is none."""
        try:
            return next((one.uid for one in self.archive.studies(Query(limit=1))), "")
        except Unsteady:
            return ""

    def _metadata(self) -> str | None:
        """Ask for what one instance states; whether it states markers is not looked at."""
        study = self._some_study()
        if not study:
            return "archive-empty"
        try:
            return self._one_instance(study)
        except (Gone, Unsteady):
            return "archive-moves"
        except Rejected as refused:
            raise unanswered(self.archive.shown, refused) from None

    def _one_instance(self, study: str) -> str | None:
        search, send = self.archive.search, self.archive.transport.send
        for series in islice(search.series(study), 1):
            for one in search.instances(study, series, 1):
                path = f"/studies/{study}/series/{series}/instances/{one}/metadata"
                if send("GET", path, take=bool).taken:
                    return None
        return "archive-moves"

    def _changes(self) -> str | None:
        return None if self.archive.position() is not None else "changes-untold"
