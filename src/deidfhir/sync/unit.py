"""What the job is given: units of one study, and what must be known about statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.comparing import RECORDED, digest
from deidfhir.sync.standing import Forms, Placing, Standing
from deidfhir.web.numbers import Spelled, encoded
from deidfhir.web.outcome import objects


@dataclass(frozen=True)
class Unit:
    """One study to be stated.

    Args:
        study: Its ImagingStudy.
        provenances: Its Provenance resources; the job sets their `recorded`.
        shared: What they refer to and other units do, too: Devices, an Endpoint.
        key: What the ids of its statements are made of.
        instances: Instance UID → digest of what the instance claims, of those read in this run;
            what stands before a colon says by which policy, and only equal ones compare.
        name: How reports name it: an input path.
        patients: Its Patient, if it has one.
        files: Instance UID → what stands for the file that it was read from; what stands before
            a dot stands for the path alone.
        forms: The forms that it takes beside someone else's ImagingStudy; without them it is
            always stated in ours.
        placing: How it is put there, once that is decided.
        original: As it was before that.
    """

    study: JsonObject
    provenances: tuple[JsonObject, ...]
    shared: tuple[JsonObject, ...]
    key: str
    instances: Mapping[str, str]
    name: str
    patients: tuple[JsonObject, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    forms: Forms | None = None
    placing: Placing | None = None
    original: Unit | None = None

    @property
    def id(self) -> str:
        """The id of its ImagingStudy."""
        identity: str = self.study["id"]
        return identity

    @property
    def own(self) -> tuple[JsonObject, ...]:
        """What is the study's alone, each after what it refers to."""
        return (*self.patients, *self.studies, *self.provenances)

    @property
    def studies(self) -> tuple[JsonObject, ...]:
        """The ImagingStudy resources to put: ours, or theirs as it shall be (D21)."""
        return (self.study,) if self.placing is None else self.placing.studies

    @property
    def standing(self) -> Standing | None:
        """How it is stated, once that is decided."""
        return None if self.placing is None else self.placing.standing

    @property
    def versions(self) -> Mapping[str, str]:
        """Reference → the versionId that theirs must still have for the writes."""
        return {} if self.placing is None else self.placing.versions

    @property
    def dropped(self) -> JsonObject | None:
        """Our ImagingStudy as the target has it, if it must go."""
        return None if self.placing is None else self.placing.dropped

    @property
    def sha(self) -> str:
        """Digest of what it states, `recorded` left out."""
        if self.original is not None:
            return self.original.sha
        return digest(*self.texts)

    def spelled(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return resources with their JSON; what is as it was mapped is written out already.

        Args:
            resources: As they are put.
        """
        mapped = self.original or self
        pairs = zip(mapped.own, mapped.texts, strict=True)
        texts = {id(one): text for one, text in pairs if not RECORDED & one.keys()}
        return [Spelled(one, texts.get(id(one))) for one in resources]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """JSON of each resource of `own`, as it was mapped, `recorded` left out."""
        return tuple(
            encoded({key: one[key] for key in one if key not in RECORDED}) for one in self.own
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """One study that must not be stated; what was stated before is withdrawn.

    Args:
        id: The id that its ImagingStudy would have.
        key: What the ids of its statements are made of.
        instances: Instance UID → digest of what the instance claims, of those read in this run.
        decisive: Whether no instance that was not read could make the study acceptable.
        name: How reports name it: an input path.
        files: Instance UID → what stands for the file that it was read from.
    """

    id: str
    key: str
    instances: Mapping[str, str]
    decisive: bool
    name: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldPart:
    """What a target holds of a study of which a run saw only a part (D19).

    Args:
        study: Its ImagingStudy.
        provenances: Our Provenance that target it.
        patient: The Patient of ours that it refers to, if it does.
        kept: What stands for the instances that were not read and are not gone.
        same: Whether all else that it lists was read from the same files before.
    """

    study: JsonObject
    provenances: tuple[JsonObject, ...]
    patient: JsonObject | None
    kept: frozenset[str]
    same: bool


@dataclass(frozen=True, slots=True)
class Parted:
    """What a run knows of a study that it did not read whole.

    Args:
        read: What it read of it.
        unread: What stands for instances that a newly skipped file may hold.
        lost: What stands for instances that other sources list and the target does not.
    """

    read: Unit | Refused
    unread: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """One study that the source lists and of which nothing is said now: what stands, stands.

    Args:
        id: The id that its ImagingStudy would have.
    """

    id: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """One study that no source lists any more (D20).

    Args:
        id: The id of its ImagingStudy.
        told: Whether the report speaks of it; not of one that is only done over.
    """

    id: str
    told: bool = True

    @property
    def name(self) -> str:
        """How reports name it: its paths are gone, and the journal knows none."""
        return f"ImagingStudy/{self.id}"


class Statements(Protocol):
    """What the job must know of statements and cannot: the mapping's side of withdrawal."""

    def is_ours(self, provenance: JsonObject, key: str) -> bool:
        """Whether a Provenance is one that we would have written for the study of a key."""

    def is_withdrawn(self, provenance: JsonObject) -> bool:
        """Whether a Provenance is marked as withdrawn."""

    def patient_id(self, key: str) -> str:
        """Return the id that the Patient of the study of a key has, if it has one."""

    def withdrawn_patient(self, identity: str) -> JsonObject:
        """Return what overwrites a Patient that the target refuses to delete."""

    @property
    def stands_for(self) -> Callable[[str], str]:
        """What stands for an instance in the journal, which holds no UID, by its UID."""

    def withdrawn_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy without its statements."""

    def merged(self, one: Unit | Refused, held: HeldPart) -> Unit | Refused | None:
        """Return a study with what the target holds of it, or None where that cannot be told."""

    def withdrawn_provenance(self, resource: JsonObject) -> JsonObject:
        """Return what overwrites a Provenance that the target refuses to delete."""

    def key_of(self, study: JsonObject) -> str:
        """Return what the ids of the statements of our ImagingStudy are made of, or nothing.

        Args:
            study: Any ImagingStudy; someone else's has no key.
        """

    @property
    def outlive(self) -> bool:
        """Whether what was stated of a study is kept when the study has vanished (D20)."""

    def retired_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy as it stands once its study has vanished."""


def policy_of(claim: str) -> str:
    """Return by which policy the digest of a claim was made; others say nothing of it."""
    return claim.partition(":")[0] if ":" in claim else ""


def with_recorded(provenance: JsonObject, recorded: Mapping[str, str | None]) -> JsonObject:
    """Return a Provenance with the instant of its first statement, where it has one (D15).

    Args:
        provenance: As mapped.
        recorded: Provenance id → instant, or None for one that stays as it was mapped.
    """
    instant = recorded.get(provenance["id"])
    if instant is None:
        return provenance
    changed = {}
    for key, value in provenance.items():
        if key == "_recorded":
            continue
        if key == "activity":
            changed["recorded"] = instant  # in FHIR's order of elements
        changed[key] = value
    return changed


def listed_instances(study: JsonObject | None, stands_for: Callable[[str], str]) -> frozenset[str]:
    """Return what stands for the instances that an ImagingStudy lists.

    Args:
        study: The ImagingStudy, if there is one.
        stands_for: What stands for an instance in the journal.
    """
    return frozenset(
        stands_for(str(instance.get("uid")))
        for one in objects((study or {}).get("series"))
        for instance in objects(one.get("instance"))
    )
