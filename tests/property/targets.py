"""A target in memory that counts versions, and runs over parts of a study that go to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.mapping.context import MappingContext
from deidfhir.model.record import Instance
from deidfhir.model.study import StudyFold
from deidfhir.pipeline.foreign import OurTraces
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import Listing
from deidfhir.sync.report import SyncReport
from deidfhir.sync.target import NO_VERSIONS, Found, Limits
from deidfhir.web.traffic import Traffic

_LIMITS = Limits(10, 1000, 10_000_000)


@dataclass
class Shelf:
    """A target in memory; what it holds went through JSON, as on a server."""

    batch: int = 10
    connections: int = 1
    looks_ahead = False
    at_once: bool = True
    limits: Limits = _LIMITS
    traffic: Traffic = field(default_factory=Traffic)
    shown: str = "shelf"
    held: dict[str, JsonObject] = field(default_factory=dict)

    def stamp(self) -> str | None:
        """Tell nothing."""
        return None

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Return studies with the Provenance that target them."""
        every = [one for one in self.held.values() if one["resourceType"] == "Provenance"]
        return {
            one: Found(
                self.held.get(f"ImagingStudy/{one}"),
                tuple(p for p in every if p["target"][0]["reference"] == f"ImagingStudy/{one}"),
            )
            for one in study_ids
        }

    def studies(self, identifiers: list[str], *, brief: bool = False) -> list[JsonObject]:
        """Return the studies that have one of some identifiers."""
        del brief
        return [
            one
            for one in self.held.values()
            if one["resourceType"] == "ImagingStudy"
            and any(
                f"{each['system']}|{each['value']}" in identifiers for each in one["identifier"]
            )
        ]

    def provenances_of(self, study_ids: Iterable[str]) -> dict[str, tuple[JsonObject, ...]]:
        """Return the Provenance that target some studies."""
        return {one: found.provenances for one, found in self.find(study_ids).items()}

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources by id."""
        names = {one: f"{kind}/{one}" for one in ids}
        return {one: self.held[name] for one, name in names.items() if name in self.held}

    def write(
        self,
        puts: Iterable[JsonObject],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,
    ) -> list[str]:
        """Put and delete; every put is a version more."""
        outcomes = []
        for one in puts:
            name = reference(one)
            before = self.held.get(name, {}).get("meta", {}).get("versionId", "0")
            assert versions.get(name, before) == before
            kept = json.loads(json.dumps(one))
            kept.setdefault("meta", {})["versionId"] = str(int(before) + 1)
            self.held[name] = kept
            outcomes.append("updated" if before != "0" else "created")
        for gone in deletes:
            self.held.pop(gone, None)
        return outcomes

    def flush(self) -> None:
        """Nothing waits."""

    def rehearse(self) -> None:
        """Take everything."""


def reading_of(instances: Iterable[Instance], source: str) -> Reading:
    """Return what reading some instances gives, each from a file of its own."""
    fold = StudyFold()
    for one in instances:
        name = sha256(one.path.encode()).hexdigest()[:10]
        state = sha256(repr(one._replace(file="")).encode()).hexdigest()[:10]
        fold.add(one._replace(file=f"{name}.{state}"))
    return Reading(source, (f"/{source}",), fold)


def run(
    shelf: Shelf,
    journal: Journal,
    instances: Iterable[Instance],
    source: str,
    context: MappingContext,
    *,
    whole: bool = True,
) -> SyncReport:
    """Sync some instances of a study as one source, or as a part of one."""
    work = SyncWork(reading_of(instances, source), context)
    listing = Listing(source, frozenset(), (f"/{source}",), whole=whole)
    report = SyncJob(shelf, journal, OurStatements(work), OurTraces(context), listing).run(
        work.units()
    )
    if report.error:
        raise report.error
    return report
