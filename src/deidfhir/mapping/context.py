"""What the mapping is given besides the images."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from deidfhir.config import Settings
from deidfhir.fhir.extensions import address, profile_address
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName, FhirVersion, fhir_version
from deidfhir.mapping.identity import Namer
from deidfhir.recognition.vocabulary import Vocabulary, load_vocabulary


@dataclass(frozen=True)
class MappingContext:
    """FHIR version, the site's settings and the instant of recording.

    Args:
        fhir: `R4`, `R4B` or `R5`.
        settings: The site's settings.
        recorded: Instant for Provenance.recorded, when our statement was first made (D15);
            without it, data-absent-reason `unknown` (R5: omitted).
    """

    fhir: FhirName = "R4"
    settings: Settings = field(default_factory=Settings)
    recorded: str | None = None

    @cached_property
    def version(self) -> FhirVersion:
        """The row of the version table."""
        return fhir_version(self.fhir)

    @cached_property
    def namer(self) -> Namer:
        """Makes the ids of this site."""
        return Namer(self.settings.namespace, self.settings.tenant)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The tools' wordings: ours, with the site's (D16)."""
        return load_vocabulary(self.settings.tools)

    def profile(self, kind: str) -> JsonObject:
        """Return the `meta` that claims our profile of a resource type."""
        return {"profile": [profile_address(self.settings.canonical, kind)]}

    def url(self, extension: str) -> str:
        """Return the URL of one of our extensions (key of `mappings/urls.toml`)."""
        return address(self.settings.canonical, extension)
