"""What the integration tests share: an archive to change, and a look at the server by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

Json = dict[str, Any]
ASK = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
_PAGE = 40


class Archive:
    """A folder of small removed objects, whose studies no other test has.

    Args:
        folder: Where the files go.
        base: The number of study 0, for archives that are to be made again.
    """

    def __init__(self, folder: Path, base: int | None = None) -> None:
        self.folder = folder
        self._base = uuid4().int >> 88 if base is None else base

    def put(self, study: int, number: int = 1, *, series: int = 1, **attributes: Any) -> Path:  # noqa: ANN401
        """Write one object, by default one that states YES and a method; return its path."""
        stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool 1.0"}
        made = instance(self._base + study, series, number, **(stated | attributes))
        return write(made, self.folder / f"{study}-{series}-{number}.dcm")

    def uid(self, study: int, *more: int) -> str:
        """Return the UID of a study, or of its series and instance."""
        root = "1.2.826.0.1.3680043.8.498.62"
        return ".".join([root, str(self._base + study), *map(str, more)])


@dataclass(frozen=True)
class Site:
    """One id namespace with one journal, on one server."""

    cli: Cli
    fhir: str
    url: str
    journal: Path

    def sync(self, *arguments: object) -> Ran:
        """Run sync with --json."""
        return self._run("sync", *arguments)

    def verify(self, *arguments: object) -> Ran:
        """Run verify with --json."""
        return self._run("verify", *arguments)

    def _run(self, name: str, *arguments: object) -> Ran:
        where = ("--to", self.url, "--fhir", self.fhir, "--journal", self.journal)
        return self.cli(name, *arguments, *where, "--json")

    def stated(self, *arguments: object) -> dict[str, Json]:
        """Return what map makes of some paths, by reference."""
        ran = self.cli("map", *arguments, "--fhir", self.fhir)
        every = [entry["resource"] for bundle in ran.lines for entry in bundle["entry"]]
        return {name_of(one): one for one in every}

    def to(self, url: str) -> Site:
        """Return the same site with another target."""
        return replace(self, url=url)


def name_of(resource: Json) -> str:
    """Return `Type/id`."""
    return f"{resource['resourceType']}/{resource['id']}"


def search(url: str, query: str) -> Iterator[Json]:
    """Yield what a server finds, page by page, nothing from its cache."""
    following = f"{url}/{query}"
    while following:
        bundle = requests.get(following, headers=ASK, timeout=60).json()
        yield from (entry["resource"] for entry in bundle.get("entry", ()))
        links = {one["relation"]: one["url"] for one in bundle.get("link", ())}
        following = links.get("next", "")


def held(url: str, references: Iterable[str]) -> dict[str, Json]:
    """Return what the server has of some references, by reference."""
    found = {}
    wanted = sorted(references)
    for start in range(0, len(wanted), _PAGE):
        page = wanted[start : start + _PAGE]
        for kind in {one.partition("/")[0] for one in page}:
            ids = ",".join(one.partition("/")[2] for one in page if one.startswith(f"{kind}/"))
            for one in search(url, f"{kind}?_id={ids}&_count={_PAGE}"):
                found[name_of(one)] = one
    return found


def versions(url: str, references: Iterable[str]) -> dict[str, str]:
    """Return which version the server has of some references."""
    return {name: one["meta"]["versionId"] for name, one in held(url, references).items()}


def with_provenances(url: str, references: Iterable[str]) -> list[Json]:
    """Search for ImagingStudies together with the Provenance that target them."""
    ids = [one.partition("/")[2] for one in references if one.startswith("ImagingStudy/")]
    found: dict[str, Json] = {}
    for start in range(0, len(ids), _PAGE):
        page = ",".join(ids[start : start + _PAGE])
        query = f"ImagingStudy?_id={page}&_count={_PAGE}&_revinclude=Provenance:target"
        found.update({name_of(one): one for one in search(url, query)})
    return list(found.values())


def status_of(url: str, reference: str) -> int:
    """Return the HTTP status of reading one resource: 410 is one that was deleted."""
    return requests.get(f"{url}/{reference}", headers=ASK, timeout=60).status_code


def put(url: str, resource: Json) -> None:
    """Write a resource as someone else would."""
    address = f"{url}/{name_of(resource)}"
    headers = {"Content-Type": "application/fhir+json"}
    requests.put(address, json=resource, headers=headers, timeout=60).raise_for_status()


def delete(url: str, reference: str) -> None:
    """Delete a resource as someone else would."""
    requests.delete(f"{url}/{reference}", headers=ASK, timeout=60).raise_for_status()


def post(url: str, bundle: Json) -> None:
    """Send a transaction as whoever has the output of map would."""
    headers = {"Content-Type": "application/fhir+json"}
    requests.post(url, json=bundle, headers=headers, timeout=60).raise_for_status()


def only(kind: str, resources: dict[str, Json]) -> dict[str, Json]:
    """Return the resources of one type."""
    return {name: one for name, one in resources.items() if name.startswith(f"{kind}/")}


def counted(**counts: int) -> dict[str, int]:
    """Return the counts of `resources` in a report."""
    names = ("created", "updated", "unchanged", "deleted", "failed")
    return {name: counts.get(name, 0) for name in names}
