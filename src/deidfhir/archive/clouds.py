"""Addresses of DICOM stores in Azure and Google Cloud → archives, with each cloud's credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deidfhir.archive.azure import AzureDicom
from deidfhir.archive.changefeed import ChangeFeed
from deidfhir.archive.dicomweb import DicomWeb
from deidfhir.archive.search import Search
from deidfhir.errors import UsageError
from deidfhir.tables import table
from deidfhir.web.access.applicationdefault import application_default
from deidfhir.web.access.entra import entra
from deidfhir.web.speech import DICOMWEB, JSON

if TYPE_CHECKING:
    from deidfhir.archive.opening import Opening

_COUNT = "NumberOfStudyRelatedInstances"
"""Neither cloud tells it unless it is asked to."""

_PART = "[A-Za-z0-9._-]+"
_STORE = re.compile(f"gcp://({_PART}(?::{_PART})?)/({_PART})/({_PART})/({_PART})/?")
_VERSION = re.compile(f"/(v[12])(?:/partitions/({_PART}))?")


def open_azure(url: str, opening: Opening) -> AzureDicom:
    """Return a DICOM service of Azure.

    Args:
        url: Its URL, with the version of its API and the data partition if there are some.
        opening: What it is opened with.

    Raises:
        UsageError: `azure-form`, or the access file is wrong.
    """
    parts = urlsplit(url)
    found = _VERSION.fullmatch(parts.path or "/v2")
    if found is None:
        raise UsageError("azure-form")
    service = f"{parts.scheme}://{parts.netloc}"
    given = entra(table("clouds.toml")["azure"]["scope"], service, opening.clock)
    transport = opening.transport(service + found[0], DICOMWEB, given)
    feed = opening.transport(f"{service}/{found[1]}", JSON, given)
    search = Search(transport, include=_COUNT)
    return AzureDicom(transport, search, ChangeFeed(feed, found[1]), found[2] or "")


def open_google(url: str, opening: Opening) -> DicomWeb:
    """Return a DICOM store of the Cloud Healthcare API.

    Args:
        url: The root of its DICOMweb.
        opening: What it is opened with.

    Raises:
        UsageError: The access file is wrong.
    """
    google = table("clouds.toml")["google"]
    given = application_default(google["scope"], url, opening.clock)
    transport = opening.transport(url, DICOMWEB, given)
    return DicomWeb(transport, Search(transport, furthest=google["furthest"], include=_COUNT))


def google_url(address: str) -> str:
    """Return the URL of a store from its short address.

    Args:
        address: `gcp://PROJECT/LOCATION/DATASET/STORE`.

    Raises:
        UsageError: `gcp-form`.
    """
    found = _STORE.fullmatch(address)
    if found is None:
        raise UsageError("gcp-form")
    project, location, dataset, store = found.groups()
    place = f"projects/{project}/locations/{location}/datasets/{dataset}"
    return f"{table('clouds.toml')['google']['root']}/{place}/dicomStores/{store}/dicomWeb"
