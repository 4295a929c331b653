"""What the mapping is given besides the images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from deidfhir.config import Settings
from deidfhir.errors import UsageError
from deidfhir.fhir.extensions import address, profile_address
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName, FhirVersion, fhir_version
from deidfhir.mapping.identity import Namer
from deidfhir.model.verdict import Verdict
from deidfhir.policy.keys import Key, load_key
from deidfhir.policy.loading import load_policy
from deidfhir.policy.policy import BESIDE, Policy
from deidfhir.recognition.vocabulary import Vocabulary, load_vocabulary


@dataclass(frozen=True)
class MappingContext:
    """FHIR version, the site's settings and the instant of recording.

    Args:
        fhir: `R4`, `R4B` or `R5`.
        settings: The site's settings.
        recorded: Instant for Provenance.recorded, when our statement was first made (D15);
            without it, data-absent-reason `unknown` (R5: omitted).
        policy: The policy; without it, that of the settings.
    """

    fhir: FhirName = "R4"
    settings: Settings = field(default_factory=Settings)
    recorded: str | None = None
    policy: Policy | None = None

    @cached_property
    def version(self) -> FhirVersion:
        """The row of the version table."""
        return fhir_version(self.fhir)

    @cached_property
    def namer(self) -> Namer:
        """Makes the ids of this site."""
        key = self.key if self.settings.ids == "keyed" else None
        return Namer(self.settings.namespace, self.settings.tenant, key)

    @cached_property
    def key(self) -> Key:
        """The site's key.

        Raises:
            UsageError: `key-missing`, `key-unreadable` or `key-short`.
        """
        if not self.settings.key_file:
            raise UsageError("key-missing")
        return load_key(self.settings.key_file)

    @cached_property
    def in_force(self) -> Policy:
        """The policy in force.

        Raises:
            UsageError: `policy-unreadable`, `policy-form` or `policy-entry`.
        """
        policy = self.policy or load_policy(self.settings.policy)
        known = {one.id for one in self.vocabulary.tools}
        for unknown in sorted(policy.agents - known):
            problem = f"no tool's entry is called {unknown}"
            path = self.settings.policy or policy.name
            raise UsageError("policy-entry", path=path, key="agents", problem=problem)
        return policy

    def decided(self) -> dict[str, Any]:
        """Return what decides what leaves, for reports: the policy, and the settings beside it."""
        settings = self.settings
        return {**self.in_force.as_dict(), **{key: getattr(settings, key) for key in BESIDE}}

    @cached_property
    def digest(self) -> str:
        """Changes with anything that decides what is made of an object, but for the program."""
        key = self.key.fingerprint if self.settings.is_keyed else ""
        said = (self.fhir, self.settings, self.recorded, self.in_force.digest, key)
        return sha256(repr((*said, self.vocabulary.digest)).encode()).hexdigest()[:16]

    def accepting(self, verdicts: Iterable[Verdict] | None) -> MappingContext:
        """Return the context with other verdicts that may pass; itself for None.

        Raises:
            UsageError: The policy cannot be loaded.
        """
        if verdicts is None:
            return self
        return replace(self, policy=replace(self.in_force, accept=frozenset(verdicts)))

    def prepare(self) -> None:
        """Load policy, vocabulary and key, so that a mistake is told before anything is read.

        Raises:
            UsageError: One of them cannot be used.
        """
        _ = self.in_force
        if self.settings.is_keyed:
            _ = self.key

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
