"""What the sync job asks of a target, be it a server or a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.web.outcome import objects
from deidfhir.web.traffic import Traffic

NO_VERSIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Found:
    """What a target holds of one study.

    Args:
        study: Its ImagingStudy, or None.
        provenances: Every Provenance that targets it or theirs, whoever wrote it.
        theirs: Others' ImagingStudy resources of the study (D21).
        left: Others by which the study was stated before, as far as the target still has them.
        stripped: Those among them on which something of ours stands, without it.
        covered: UIDs of the instances that our statements about theirs cover, where the journal
            does not know.
    """

    study: JsonObject | None
    provenances: tuple[JsonObject, ...]
    theirs: tuple[JsonObject, ...] = ()
    left: tuple[JsonObject, ...] = ()
    stripped: tuple[JsonObject, ...] = ()
    covered: frozenset[str] = frozenset()

    @property
    def others(self) -> tuple[JsonObject, ...]:
        """Every ImagingStudy of the study that is not ours."""
        return (*self.theirs, *self.left)

    def by_reference(self) -> dict[str, JsonObject]:
        """Return `Type/id` → resource."""
        own = (self.study,) if self.study else ()
        return {reference(one): one for one in (*own, *self.others, *self.provenances)}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one transaction takes; a single study that is more goes alone.

    Args:
        studies: Number of studies.
        entries: Number of entries.
        size: Bytes of JSON.
    """

    studies: int
    entries: int
    size: int


class Target(Protocol):
    """Where resources go."""

    batch: int
    """How many studies are looked up, and for a folder written, at a time."""

    at_once: bool
    """Whether `write` is durable when it returns; otherwise `flush` makes it so."""

    @property
    def looks_ahead(self) -> bool:
        """Whether studies may be looked up beside the run, while others are written."""

    @property
    def limits(self) -> Limits:
        """How much one write takes."""

    @property
    def connections(self) -> int:
        """How many writes may be under way."""

    @property
    def shown(self) -> str:
        """How the target is named in messages: a URL without credentials, or a path."""

    @property
    def traffic(self) -> Traffic:
        """What the requests cost so far."""

    def stamp(self) -> str | None:
        """Return what changes when someone else changes the target, or None if unknowable."""

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Return what the target holds of some studies, by ImagingStudy id."""

    def studies(self, identifiers: list[str], *, brief: bool = False) -> Iterable[JsonObject]:
        """Return the ImagingStudy resources that have one of some identifiers.

        Args:
            identifiers: `system|value` of those that are wanted; all if there are none.
            brief: Whether their identifiers and versions will do.
        """

    def provenances_of(self, study_ids: Iterable[str]) -> dict[str, tuple[JsonObject, ...]]:
        """Return every Provenance that targets some ImagingStudies, by their ids."""

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id; those that are not there are left out."""

    def write(
        self,
        puts: Iterable[JsonObject],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,
    ) -> list[str]:
        """Put resources and delete references, all or nothing.

        Args:
            puts: Resources, each at its own id.
            deletes: References.
            versions: Reference → the versionId that the target must still hold.

        Returns:
            `created`, `updated` or `unchanged` for each resource put, in order.

        Raises:
            Rejected: The target refuses; `stale` where it holds another version.
        """

    def flush(self) -> None:
        """Make what was written durable."""

    def rehearse(self) -> None:
        """Raise what writing would raise, as far as that can be known without writing."""


def held_of(target: Target, resources: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """Return what a target holds in the places of some resources, by reference.

    Args:
        target: The target.
        resources: Of any types; only type and id count.
    """
    wanted: dict[str, list[str]] = {}
    for one in resources:
        wanted.setdefault(one["resourceType"], []).append(one["id"])
    return {
        f"{kind}/{identity}": one
        for kind, ids in wanted.items()
        for identity, one in target.read(kind, ids).items()
    }


def studies_targeted(provenance: JsonObject) -> list[str]:
    """Return the ids of the ImagingStudies that a Provenance targets.

    Args:
        provenance: As a target holds it: its references may be absolute, and name a version.
    """
    paths = [
        str(one.get("reference", "")).split("/_history/")[0].split("/")[-2:]
        for one in objects(provenance.get("target"))
    ]
    return [path[1] for path in paths if len(path) == 2 and path[0] == "ImagingStudy"]
