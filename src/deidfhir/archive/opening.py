"""`--from`: an address with its scheme → an archive; nothing is asked of it yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from deidfhir.archive.archive import Archive
from deidfhir.archive.clouds import google_url, open_azure, open_google
from deidfhir.archive.dicomweb import DicomWeb
from deidfhir.archive.healthimaging import open_healthimaging
from deidfhir.archive.orthanc import Orthanc
from deidfhir.archive.search import Search
from deidfhir.errors import UsageError
from deidfhir.web.access.credentials import Anonymous, Credentials
from deidfhir.web.access.loading import Toward, load_access
from deidfhir.web.address import is_safe, is_usable_url
from deidfhir.web.connections import Connections
from deidfhir.web.events import Events
from deidfhir.web.speech import DICOMWEB, JSON, Speech
from deidfhir.web.timing import CONNECTIONS, DEFAULT_TIMEOUT, Clock
from deidfhir.web.transport import Transport


@dataclass(frozen=True, slots=True)
class Opening:
    """What an archive is opened with.

    Args:
        access: The archive's access file (docs/access.md); empty for none.
        timeout: Seconds for one request with all its repetitions.
        clock: The time.
        connections: Requests under way at most.
        events: Told of each request.
    """

    access: str = ""
    timeout: float = DEFAULT_TIMEOUT
    clock: Clock = field(default_factory=Clock)
    connections: int = CONNECTIONS
    events: Events = field(default_factory=Events)

    def transport(
        self, url: str, speech: Speech, otherwise: Credentials | None = None
    ) -> Transport:
        """Return what asks a server.

        Args:
            url: Its base URL.
            speech: What it speaks.
            otherwise: The credentials where the access file names none.

        Raises:
            UsageError: The access file is wrong, or credentials would be readable on the way.
        """
        access = load_access(self.access, Toward(url, self.timeout, self.clock))
        if otherwise is not None and access.credentials.kind == Anonymous.kind:
            if not is_safe(url):
                raise UsageError("access-plain-http", url=url)
            access = replace(access, credentials=otherwise)
        several = Connections(access.session, self.connections)
        given = (url, self.timeout, self.clock, access, several)
        return Transport(*given, events=self.events, speech=speech)


def open_archive(address: str, opening: Opening) -> Archive:
    """Return the archive at an address.

    Args:
        address: Scheme and what it takes, such as `dicomweb+https://host/dicom-web`.
        opening: What it is opened with.

    Raises:
        UsageError: `source-form` or `source-credentials`, or the access file is wrong.
    """
    scheme = address.partition("://")[0].lower()
    opened = _SCHEMES.get(scheme)
    if opened is None:
        raise UsageError("source-form", known=", ".join(f"{one}://" for one in _SCHEMES))
    return opened(address, opening)


def _url(address: str) -> str:
    """Return the URL of an address such as `dicomweb+https://host/root`.

    Raises:
        UsageError: `source-form` or `source-credentials`.
    """
    url = address.partition("+")[2].rstrip("/")
    try:
        held = "@" in urlsplit(url).netloc
    except ValueError:
        held = False
    if held:
        raise UsageError("source-credentials")
    if not is_usable_url(url):
        raise UsageError("source-form", known=", ".join(f"{one}://" for one in _SCHEMES))
    return url


def _dicomweb(address: str, opening: Opening) -> Archive:
    transport = opening.transport(_url(address), DICOMWEB)
    return DicomWeb(transport, Search(transport))


def _orthanc(address: str, opening: Opening) -> Archive:
    """Return an Orthanc server: the last part of its address's path is the DICOMweb root."""
    url = _url(address)
    if not urlsplit(url).path.strip("/"):
        url = f"{url}/{_ORTHANC_ROOT}"
    transport = opening.transport(url, DICOMWEB)
    rest = opening.transport(url.rpartition("/")[0], JSON)
    return Orthanc(transport, Search(transport), rest)


def _healthimaging(address: str, opening: Opening) -> Archive:
    if opening.access:
        raise UsageError("source-access-own", scheme="ahi")
    return open_healthimaging(address, opening.timeout, opening.connections, opening.clock)


def _azure(address: str, opening: Opening) -> Archive:
    return open_azure(_url(address), opening)


def _google(address: str, opening: Opening) -> Archive:
    return open_google(_url(address), opening)


def _gcp(address: str, opening: Opening) -> Archive:
    return open_google(google_url(address), opening)


_ORTHANC_ROOT = "dicom-web"
"""Where the plugin has DICOMweb unless it is told otherwise."""

_SCHEMES: dict[str, Callable[[str, Opening], Archive]] = {
    "dicomweb+https": _dicomweb,
    "dicomweb+http": _dicomweb,
    "orthanc+https": _orthanc,
    "orthanc+http": _orthanc,
    "ahi": _healthimaging,
    "azure+https": _azure,
    "azure+http": _azure,
    "gcp": _gcp,
    "google+https": _google,
    "google+http": _google,
}
"""Scheme → what opens such an address."""
