"""The published package: written to a file, or put on a FHIR server."""

from __future__ import annotations

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
from deidfhir.pipeline.writing import write_bytes
from deidfhir.sync.comparing import comparable
from deidfhir.sync.server import FhirServer
from deidfhir.web.outcome import Rejected


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
    write_bytes(out, content)
    return len(content)


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
