"""How a study stands on a target where someone else's ImagingStudy may be, too (D21)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from deidfhir.fhir.types import JsonObject, reference


class Mode(StrEnum):
    """What becomes of someone else's ImagingStudy of a study: `--existing`."""

    LINK = "link"
    ENRICH = "enrich"
    OWN = "own"
    FAIL = "fail"


class How(StrEnum):
    """How a study is stated."""

    OWNED = "owned"
    LINKED = "linked"
    ENRICHED = "enriched"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a study was last stated.

    Args:
        how: In our ImagingStudy, or by someone else's.
        mode: The mode in which that was decided.
        id: The id of theirs; empty for ours.
        version: The versionId at which theirs was found to be as it should; empty if it was not.
        earlier: Ids of others by which it was stated before, while it is not known whether what
            stands there has gone.
    """

    how: How
    mode: Mode
    id: str = ""
    version: str = ""
    earlier: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of others' ImagingStudies on which something of it may stand."""
        return tuple(dict.fromkeys(one for one in (self.id, *self.earlier) if one))

    @property
    def is_link(self) -> bool:
        """Whether no ImagingStudy of ours or theirs holds anything of it."""
        return self.how is How.LINKED

    def text(self) -> str:
        """Return what the journal keeps."""
        return json.dumps([self.how, self.mode, self.id, self.version, self.earlier])

    @classmethod
    def of(cls, text: str) -> Standing | None:
        """Return what `text` returned; None for nothing, as older journals have it."""
        if not text:
            return None
        how, mode, identity, version, earlier = json.loads(text)
        return cls(How(how), Mode(mode), identity, version, tuple(earlier))

    @classmethod
    def under_way(cls, wanted: Standing | None, before: Standing | None) -> Standing | None:
        """Return what the journal keeps while it is not known whether a write has arrived.

        What stood before may be left, and what is wanted may be there: both must be found again.

        Args:
            wanted: How it is to be stated.
            before: How it was stated, or may have been.
        """
        if wanted is None or before is None:
            return wanted or before
        left = tuple(one for one in before.ids if one != wanted.id)
        return replace(wanted, version="", earlier=left)


class Forms(Protocol):
    """The forms that a study's statements take beside someone else's ImagingStudy."""

    @property
    def identifiers(self) -> tuple[str, ...]:
        """`system|value` by which its ImagingStudy is found, whoever wrote it."""

    @property
    def may_touch(self) -> bool:
        """Whether someone else's ImagingStudy cannot be that of the identified original."""

    @property
    def is_part(self) -> bool:
        """Whether more of the study is stated than was read: that stands in ours alone."""

    @property
    def leaves_out(self) -> bool:
        """Whether something of it has no place where it is only linked."""

    def provenances(self, theirs: JsonObject, *, enriched: bool) -> tuple[JsonObject, ...]:
        """Return its Provenance resources, which target theirs."""

    def enriched(self, theirs: JsonObject) -> JsonObject | None:
        """Return theirs with our extensions and label; None if it carries others' markers."""


class Traces(Protocol):
    """Tells what of ours stands on someone else's ImagingStudy, or is about it."""

    def stripped(self, theirs: JsonObject, owner: str) -> JsonObject:
        """Return theirs as it was before; the very same object where nothing of ours stands on it.

        Args:
            theirs: As the target has it.
            owner: The id that our ImagingStudy has or would have.
        """

    def covered(
        self, theirs: JsonObject, provenances: tuple[JsonObject, ...], key: str, owner: str
    ) -> frozenset[str]:
        """Return the UIDs of the instances that our statements about theirs cover."""

    def first_ids(self, key: str, instances: Mapping[str, str]) -> tuple[str, ...]:
        """Return ids of which one is that of a Provenance of ours, if the study has any."""

    def is_ours(self, provenance: JsonObject, key: str) -> bool:
        """Whether a Provenance is one that we would have written for the study of a key."""


@dataclass(frozen=True, slots=True)
class Placing:
    """How a study is put where someone else's ImagingStudy may be, too.

    Args:
        standing: What the journal keeps once it is written.
        studies: The ImagingStudy resources to put: ours, or theirs as it shall be.
        versions: Reference → the versionId that theirs must still have.
        dropped: Our ImagingStudy as the target has it, if it must go.
    """

    standing: Standing
    studies: tuple[JsonObject, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    dropped: JsonObject | None = None


def versions_of(resources: Iterable[JsonObject]) -> dict[str, str]:
    """Return reference → versionId, of resources that have one."""
    return {reference(one): version for one in resources if (version := version_of(one))}


def version_of(resource: JsonObject) -> str:
    """Return the versionId of a resource, or an empty text."""
    meta = resource.get("meta")
    return str(meta.get("versionId", "")) if isinstance(meta, dict) else ""
