"""Servers that hold our package, and the terminology that HL7 binds, installed once a run."""

from __future__ import annotations

import time

import requests

from deidfhir.config import Settings
from deidfhir.package.resources import conformance_resources
from tests.conftest import Server
from tests.hapi.terminology import install, terminology

_DONE: set[str] = set()
_REFRESH = 120.0  # HAPI looks for new search parameters once a minute


def packaged(server: Server) -> str:
    """Return the base URL of a server once it holds the package and the terminology."""
    if server.url not in _DONE:
        install(server.url, [*terminology(), *conformance_resources(Settings(), server.fhir)])
        _DONE.add(server.url)
    return server.url


def searchable(server: Server) -> str:
    """Return the base URL once the server knows the package's search parameters."""
    url = packaged(server)
    deadline = time.monotonic() + _REFRESH
    while time.monotonic() < deadline:
        address = (
            f"{url}/ImagingStudy?deid-inferred-tool=none&deid-verdict=mixed&deid-method-code=0"
        )
        if requests.get(address, headers={"Cache-Control": "no-cache"}, timeout=60).ok:
            return url
        time.sleep(2)
    raise AssertionError("the server does not know the search parameters")
