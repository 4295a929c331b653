"""The mapping's side of what the sync room asks about statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.patient import withdrawn_patient
from deidfhir.mapping.withdrawal import (
    is_ours,
    is_withdrawn,
    retired_study,
    study_uid,
    withdrawn_provenance,
    withdrawn_study,
)
from deidfhir.pipeline.merging import merged
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.unit import HeldPart, Refused, Unit

_REMEMBERED = 65_536
"""UIDs of the studies that are under way; each is asked for several times."""


@dataclass(frozen=True)
class OurStatements:
    """The mapping's side of withdrawal, for the sync room.

    Args:
        work: The run's.
    """

    work: SyncWork

    @property
    def context(self) -> MappingContext:
        """The mapping's."""
        return self.work.context

    def is_ours(self, provenance: JsonObject, key: str) -> bool:
        """Whether we would have written this Provenance for the study of this UID."""
        return is_ours(provenance, key, self.context)

    def is_withdrawn(self, provenance: JsonObject) -> bool:
        """Whether a Provenance carries our mark of withdrawal."""
        return is_withdrawn(provenance, self.context)

    def patient_id(self, key: str) -> str:
        """Return the id of the Patient of the study of this UID."""
        return self.context.namer.patient(key)

    def withdrawn_patient(self, identity: str) -> JsonObject:
        """Return what overwrites a Patient that the target refuses to delete."""
        return withdrawn_patient(identity, self.context)

    def merged(self, one: Unit | Refused, held: HeldPart) -> Unit | Refused | None:
        """Return a study with what the target holds of it, or None where that cannot be told."""
        return merged(self.work, one, held)

    @cached_property
    def stands_for(self) -> Callable[[str], str]:
        """Return what stands for an instance in the journal."""
        return lru_cache(_REMEMBERED)(self.context.namer.stands_for)

    def withdrawn_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy without its statements."""
        return withdrawn_study(resource, self.context)

    def withdrawn_provenance(self, resource: JsonObject) -> JsonObject:
        """Return what overwrites a Provenance that the target refuses to delete."""
        return withdrawn_provenance(resource, self.context)

    def key_of(self, study: JsonObject) -> str:
        """Return the UID of our ImagingStudy, or nothing for someone else's."""
        return study_uid(study, self.context)

    @property
    def outlive(self) -> bool:
        """Whether what was stated of a study is kept when the study has vanished."""
        return self.context.settings.retired_statements == "keep"

    def retired_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy as it stands once its study has vanished."""
        return retired_study(resource, self.context)
