"""The published package: written to a file, or put on a FHIR server."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from deidfhir.config import Settings
from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.fhir.versions import FhirName
from deidfhir.mapping.context import MappingContext
from deidfhir.package.layout import package_bytes
from deidfhir.package.resources import conformance_resources
from deidfhir.pipeline.targets import open_server
from deidfhir.sync.comparing import comparable
from deidfhir.sync.outcome import Rejected
from deidfhir.sync.own import open_own_file
from deidfhir.sync.server import FhirServer


def write_package(out: Path, settings: Settings, fhir: FhirName) -> int:
    """Write package.tgz and return its size in bytes.

    Args:
        out: The file; one that is there is replaced.
        settings: The site's; `canonical` is the base of all addresses.
        fhir: `R4`, `R4B` or `R5`.

    Raises:
        FatalError: `file-unwritable`.
    """
    content = package_bytes(settings, fhir)
    _write(out, content)
    return len(content)


def write_text(out: Path, text: str) -> None:
    """Write a text as UTF-8; a file that is there is replaced.

    Args:
        out: The file.
        text: Its content.

    Raises:
        FatalError: `file-unwritable`.
    """
    _write(out, text.encode("utf-8", "backslashreplace"))


def _write(out: Path, content: bytes) -> None:
    """Write a file that is its owner's alone."""
    try:
        descriptor = open_own_file(out, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except (OSError, ValueError) as error:
        raise FatalError("file-unwritable", path=out) from error


def install_package(
    to: str, settings: Settings, fhir: FhirName, timeout: float
) -> tuple[Counter[str], int]:
    """Put every conformance resource on a server that does not hold it yet as it is.

    Args:
        to: FHIR base URL.
        settings: The site's.
        fhir: `R4`, `R4B` or `R5`.
        timeout: Seconds for one request with its repetitions.

    Returns:
        `created`, `updated`, `unchanged` → number of resources; and the number of requests.

    Raises:
        UsageError: `install-target`.
        RetriableError: The server is down or busy.
        FatalError: The server is none, speaks another FHIR version, refuses the resources, or holds
            one at such an id that has another address; then nothing is written.
    """
    target = open_server(to, MappingContext(fhir, settings), timeout, "install-target")
    target.check()
    resources = conformance_resources(settings, fhir)
    held = _held(resources, target)
    done: Counter[str] = Counter()
    for one in resources:
        done[_put(one, held.get(reference(one)), target)] += 1
    return done, target.traffic.requests


def _held(resources: list[JsonObject], server: FhirServer) -> dict[str, JsonObject]:
    """Return what the server holds at the resources' ids, once all of it is known to be ours."""
    found: dict[str, JsonObject] = {}
    for kind in dict.fromkeys(one["resourceType"] for one in resources):
        ids = [one["id"] for one in resources if one["resourceType"] == kind]
        found |= {reference(one): one for one in server.read(kind, ids).values()}
    for one in resources:
        there = found.get(reference(one))
        if there is not None and there.get("url") != one["url"]:
            raise FatalError("install-foreign", url=server.shown, resource=reference(one))
    return found


def _put(resource: JsonObject, held: JsonObject | None, server: FhirServer) -> str:
    if held is not None and comparable(held) == comparable(resource):
        return "unchanged"
    try:
        server.put(resource)
    except Rejected as error:
        raise FatalError(
            "install-rejected", url=server.shown, resource=reference(resource), what=error
        ) from error
    return "created" if held is None else "updated"
