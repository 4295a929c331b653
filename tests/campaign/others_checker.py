"""Compares what became of someone else's ImagingStudies: never doubled, never overwritten (D21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from deidfhir.fhir.types import reference
from deidfhir.pipeline.foreign import StudyForms
from deidfhir.sync.comparing import comparable
from tests.campaign.checker import Checker, Faults, Version, pages
from tests.campaign.others import OthersWorld, Theirs
from tests.integration.strangers import Raw, spelled

Json = dict[str, Any]
_OF_SERVER = ("versionId", "lastUpdated", "source")


@dataclass
class OthersChecker(Checker):
    """Compares after an episode in which someone else's ImagingStudies stood there already.

    - None is there twice: ours was never written beside it, and our Provenance target it.
    - All that its owner wrote is there letter by letter: a version of ours, if there is one,
      differs from the one before it in our extensions alone.
    - Linked, it has its owner's versions and no other. Enriched, it has further ones only where
      our extensions had to change, each as planned and in that order; in the end they stand there
      if the study is stated, and do not if it is refused. A study that vanished keeps what stood.
    """

    _theirs: dict[str, list[Json]] = field(default_factory=dict, init=False)

    def check(self) -> Faults:
        """Look at everything."""
        super().check()
        for one in self._of_others.values():
            versions = self._theirs.get(one.name, [])
            if not versions:
                self.faults.lost.append(f"{one.name} has no history")
                continue
            self._check_owners(one, versions)
            self._check_added(one, versions)
        return self.faults

    def histories(self) -> dict[str, list[Version]]:
        """Return every version of what is not theirs; of theirs, note each decimal as spelled."""
        found = super().histories()
        names = {one.name for one in self._of_others.values()}
        for entry in pages(self.written_since, Raw):
            resource = entry.get("resource")
            if resource and reference(resource) in names:
                self._theirs.setdefault(reference(resource), []).insert(0, resource)
        for one in self._of_others.values():
            if any(version.resource is None for version in found.pop(one.name, ())):
                self.faults.lost.append(f"{one.name} was deleted")
            if f"ImagingStudy/{one.ours}" in found:
                self.faults.doubled.append(f"ImagingStudy/{one.ours} was put beside {one.name}")
            self._check_targets(one, found)
        return found

    def targets(self) -> list[str]:
        """Return what our statements may target: theirs, and what of ours must not be there."""
        return [*super().targets(), *(one.name for one in self._of_others.values())]

    @property
    def _of_others(self) -> dict[str, Theirs]:
        assert isinstance(self.world, OthersWorld)
        return self.world.theirs

    def _check_targets(self, one: Theirs, histories: dict[str, list[Version]]) -> None:
        for identity in self._plan.provenances.get(one.ours, ()):
            held = histories.get(f"Provenance/{identity}", [Version("", None)])[-1].resource
            targets = [each.get("reference") for each in (held or {}).get("target", ())]
            if targets != [one.name]:
                self.faults.lost.append(f"Provenance/{identity} does not target {one.name}")

    def _check_owners(self, one: Theirs, versions: list[Json]) -> None:
        """All that is not ours must be as its owner wrote it, in every version."""
        numbers = [int(each["meta"]["versionId"]) for each in versions]
        if numbers != list(range(1, len(numbers) + 1)):
            self.faults.lost.append(f"{one.name} has the versions {numbers}")
        for before, after in pairwise(versions):
            changed = self._bare(before) != self._bare(after)
            if changed and int(after["meta"]["versionId"]) not in one.written:
                self.faults.lost.append(f"{one.name} lost what its owner wrote")
        if self._bare(versions[-1]) != self._bare(one.stored):
            self.faults.lost.append(f"{one.name} is not as its owner wrote it")

    def _check_added(self, one: Theirs, versions: list[Json]) -> None:
        """What stands there of ours must be as planned, and change only with the plan."""
        steps = iter(one.forms)
        for number, after in enumerate(versions):
            if int(after["meta"]["versionId"]) in one.written:
                continue
            if not number or comparable(after) == comparable(versions[number - 1]):
                self.faults.spurious.append(f"{one.name} has a version that changes nothing")
            if not self._is_next(after, steps):
                self.faults.spurious.append(f"{one.name} has a version that was never planned so")
                break
        last = versions[-1]
        if one.ours in self._plan.vanished:
            return
        if one.forms[-1] is None and self._has_ours(last):
            self.faults.doubled.append(f"{one.name} has extensions of ours")
        elif one.forms[-1] is not None and not self._has_ours(last):
            self.faults.lost.append(f"{one.name} has no extensions of ours")
        elif not self._is_next(last, iter(one.forms[-1:])):
            self.faults.lost.append(f"{one.name} is not as planned")

    def _is_next(self, held: Json, steps: Iterator[StudyForms | None]) -> bool:
        """Whether a version is as one of the plans to come has it."""
        bare = self._without(held)
        wanted = comparable(held)
        return any(
            wanted == comparable((forms.enriched(bare) if forms else bare) or {}) for forms in steps
        )

    def _has_ours(self, resource: Json) -> bool:
        return spelled(self._without(resource)) != spelled(resource)

    def _bare(self, resource: Json) -> str:
        """Return what is not ours, letter by letter, without what the server counts."""
        found: Json = self._without(resource)
        meta = {key: one for key, one in found.get("meta", {}).items() if key not in _OF_SERVER}
        return spelled({**found, "meta": meta})

    def _without(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return an element without extensions of ours, wherever they stand."""
        if isinstance(value, list):
            return [self._without(one) for one in value]
        if not isinstance(value, dict):
            return value
        base = self.world.context.settings.canonical
        found = {key: self._without(one) for key, one in value.items()}
        if "extension" in found:
            # What is nested in one of theirs has urls that are no addresses.
            found["extension"] = [
                one for one in found["extension"] if not one["url"].startswith(base)
            ]
        return {key: one for key, one in found.items() if key != "extension" or one}
