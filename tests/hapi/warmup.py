"""One write and one search of each resource type, so that later timings are not first times."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


def request(
    method: str,
    url: str,
    body: Mapping[str, Any] | None = None,
    *,
    basic_auth: str | None = None,
    timeout: float = 60,
) -> tuple[int, dict[str, Any]]:
    """Send one FHIR request, past any proxy, and return the status and the JSON body.

    Raises:
        OSError: The server cannot be reached.
    """
    headers = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
    if basic_auth is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(basic_auth.encode()).decode("ascii")
    parts = urllib.parse.urlsplit(url)
    target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer from {parts.netloc}: {error!r}") from error
    finally:
        connection.close()
    return answer.status, _decode(content)


def warm_up(base_url: str, basic_auth: str | None = None) -> None:
    """Create, find and delete one Device, ImagingStudy and Provenance, one after the other.

    HAPI goes on registering search parameters for a while after its first answer, and the first
    request of a kind is slow. The resources get server-assigned ids, which every id strategy
    allows; where deletes are off they stay.

    Raises:
        RuntimeError: The server refused a write or a search.
    """
    made: list[str] = []
    for resource in _resources():
        kind = resource["resourceType"]
        if kind == "Provenance":
            resource["target"] = [{"reference": made[-1]}]
        status, stored = request("POST", f"{base_url}/{kind}", resource, basic_auth=basic_auth)
        if status != HTTPStatus.CREATED:
            raise RuntimeError(f"warm-up: POST {kind} answered {status}: {stored}")
        made.append(f"{kind}/{stored['id']}")
        search = f"{base_url}/{kind}?_id={stored['id']}"
        status, found = request("GET", search, basic_auth=basic_auth)
        if status != HTTPStatus.OK:
            raise RuntimeError(f"warm-up: search of {kind} answered {status}: {found}")
    for reference in reversed(made):
        request("DELETE", f"{base_url}/{reference}", basic_auth=basic_auth)


def _resources() -> list[dict[str, Any]]:
    """Return bodies that are valid in R4 and in R5; the Provenance still lacks its target."""
    return [
        {"resourceType": "Device", "status": "active"},
        {
            "resourceType": "ImagingStudy",
            "status": "available",
            "subject": {"display": "warm-up"},
        },
        {
            "resourceType": "Provenance",
            "recorded": "2000-01-01T00:00:00Z",
            "agent": [{"who": {"display": "warm-up"}}],
        },
    ]


def _decode(content: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(content)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
