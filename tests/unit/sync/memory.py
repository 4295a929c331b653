"""A target in memory that notes what was asked of it, and the studies and jobs of its tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.target import NO_VERSIONS, Found, Limits
from deidfhir.sync.unit import HeldPart, Refused, Unit
from deidfhir.web.timing import Clock
from deidfhir.web.traffic import Traffic

Json = dict[str, Any]
AT = Clock(now=lambda: 1_700_000_000.9)
ONE = Limits(studies=1, entries=500, size=1_000_000)
EIGHT = Limits(studies=8, entries=500, size=1_000_000)


class Statements:
    """Nothing that the target holds is ours."""

    def is_ours(self, provenance: Json, key: str) -> bool:
        """Tell by the id."""
        return bool(key) and str(provenance["id"]).startswith("p")

    def is_withdrawn(self, provenance: Json) -> bool:
        """Tell by a mark."""
        return "withdrawn" in provenance

    def patient_id(self, key: str) -> str:
        """Make it of the key."""
        return f"patient-{key}"

    def withdrawn_patient(self, identity: str) -> Json:
        """Leave type and id."""
        return {"resourceType": "Patient", "id": identity, "active": False}

    def stands_for(self, uid: str) -> str:
        """Let it stand for itself."""
        return uid

    def withdrawn_study(self, resource: Json) -> Json:
        """Leave type and id."""
        return {key: resource[key] for key in ("resourceType", "id")}

    def merged(self, one: Unit | Refused, held: HeldPart) -> Unit | Refused | None:
        """Know only what was read."""
        return None if held.kept else one

    def withdrawn_provenance(self, resource: Json) -> Json:
        """Mark it."""
        return {**resource, "withdrawn": True}

    def key_of(self, study: Json) -> str:
        """Take it from the id."""
        return str(study["id"])

    outlive = True

    def retired_study(self, resource: Json) -> Json:
        """Mark it."""
        return {**resource, "status": "unknown"}


class NoTraces:
    """Nothing of ours stands on others' resources."""

    def stripped(self, theirs: Json, owner: str) -> Json:
        """Return theirs."""
        del owner
        return theirs

    def covered(
        self, theirs: Json, provenances: tuple[Json, ...], key: str, owner: str
    ) -> frozenset[str]:
        """Return nothing."""
        del theirs, provenances, key, owner
        return frozenset()

    def first_ids(self, key: str, instances: Mapping[str, str]) -> tuple[str, ...]:
        """Return nothing."""
        del key, instances
        return ()

    def is_ours(self, provenance: Json, key: str) -> bool:
        """Return False."""
        del provenance, key
        return False


@dataclass
class Memory:
    """A target in memory that notes what was asked of it, and fails when told to."""

    journal: Journal
    at_once: bool = True
    batch: int = 2
    connections: int = 1
    looks_ahead: bool = False
    limits: Limits = ONE
    traffic: Traffic = field(default_factory=Traffic)
    shown: str = "memory"
    held: dict[str, Found] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    rows: list[StudyRow | None] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    versions: list[dict[str, str]] = field(default_factory=list)

    def stamp(self) -> str | None:
        """Tell nothing."""
        return None

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Find what a test put there."""
        ids = list(study_ids)
        self.log.append(f"find {' '.join(ids)}")
        return {one: self.held.get(one, Found(None, ())) for one in ids}

    def studies(self, identifiers: list[str], *, brief: bool = False) -> list[Json]:
        """Have none of anyone."""
        self.log.append(f"studies {' '.join(identifiers)}{' brief' if brief else ''}")
        return []

    def provenances_of(self, study_ids: Iterable[str]) -> dict[str, tuple[Json, ...]]:
        """Find what a test put there."""
        held = {one: self.held.get(one, Found(None, ())) for one in study_ids}
        return {one: found.provenances for one, found in held.items()}

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, Json]:
        """Have nothing."""
        self.log.append(f"read {kind} {' '.join(ids)}")
        return {}

    def write(
        self,
        puts: Iterable[Json],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,
    ) -> list[str]:
        """Note the write, and what the journal says of the study at this moment."""
        every = list(puts)
        self.versions.append(dict(versions))
        self.log.append("write " + " ".join([one["id"] for one in every] + list(deletes)))
        if self.connections == 1:  # the journal is of the run's own thread
            self.rows.append(self.journal.study(every[0]["id"]))
        for one in every:
            if one["id"] in self.failures:
                raise self.failures[one["id"]]
        return ["created"] * len(every)

    def flush(self) -> None:
        """Note it."""
        self.log.append("flush")

    def rehearse(self) -> None:
        """Note it."""
        self.log.append("rehearse")


def unit(number: int, *devices: str) -> Unit:
    """Return a study with one Provenance."""
    study = {"resourceType": "ImagingStudy", "id": f"s{number}", "status": "available"}
    provenance = {"resourceType": "Provenance", "id": f"p{number}", "activity": {}}
    made = tuple({"resourceType": "Device", "id": one} for one in devices)
    return Unit(study, (provenance,), made, f"1.{number}", {f"1.{number}.1": "c"}, f"path {number}")


def job(target: Memory, **options: Any) -> SyncJob:  # noqa: ANN401 - of SyncJob
    """Return a job on a target."""
    given = {"listing": Listing("source", frozenset()), "clock": AT, **options}
    return SyncJob(target, target.journal, Statements(), NoTraces(), **given)


def many(journal: Journal, **failures: Exception) -> Memory:
    """Return a target that takes eight studies a transaction, and fails on some resources."""
    return Memory(journal, batch=8, limits=EIGHT, failures=failures)


def numbers(target: Memory) -> list[list[int]]:
    """Return the numbers of the studies in each write."""
    writes = [one.split()[1:] for one in target.log if one.startswith("write ")]
    return [[int(one[1:]) for one in ids if one.startswith("s")] for ids in writes]
