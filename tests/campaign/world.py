"""An archive of a few small studies that changes, and what it should lead to on a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from deidfhir.config import Settings
from deidfhir.fhir.types import reference
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.comparing import comparable, digest
from deidfhir.sync.unit import Refused, Unit
from tests.integration.support import Archive
from tests.synthetic.objects import equipment

Json = dict[str, Any]
MODELS: Final = ("Cleaner A", "Cleaner B")


@dataclass(frozen=True)
class Claim:
    """What an object says of itself.

    Attributes:
        version: Of the tool in the method's text.
        model: Number of the equipment that is recorded, or None.
        removed: Whether the identity is said to be removed.
    """

    version: int
    model: int | None = None
    removed: bool = True

    def attributes(self) -> Json:
        """Return it as attributes."""
        if not self.removed:
            return {"PatientIdentityRemoved": "NO", "DeidentificationMethod": None}
        found: Json = {"DeidentificationMethod": f"tool {self.version}.0"}
        if self.model is not None:
            item = equipment(Manufacturer="Maker", ManufacturerModelName=MODELS[self.model])
            found["ContributingEquipmentSequence"] = [item]
        return found


@dataclass(frozen=True)
class Plan:
    """What a server should hold once a run has gone well.

    Attributes:
        resources: Reference → resource, as far as it is compared.
        shas: ImagingStudy id → digest in the journal.
        devices: Device id → digest in the journal.
        provenances: ImagingStudy id → ids of its Provenance.
        refused: Ids of the ImagingStudies whose statements must not stand.
        vanished: Ids of the ImagingStudies that were planned once and are nowhere now.
        identifiers: `system|value` of each study → its ImagingStudy id.
    """

    resources: dict[str, str]
    shas: dict[str, str]
    devices: dict[str, str]
    provenances: dict[str, frozenset[str]]
    refused: frozenset[str]
    vanished: frozenset[str]
    identifiers: dict[str, str]


@dataclass
class World:
    """One archive with its site.

    Args:
        folder: Where its files go.
        rng: Makes every choice.
        namespace: The site's id namespace.
        base: What makes its UIDs its own.
        studies: How many there are at first.
        access: The file that says how its server is got at, or an empty text.
    """

    folder: Path
    rng: Random
    namespace: str
    base: int
    studies: int = 3
    access: str = ""
    plans: list[Plan] = field(default_factory=list, init=False)
    _claims: dict[int, dict[int, Claim]] = field(default_factory=dict, init=False)
    _gone: dict[int, dict[int, Claim]] = field(default_factory=dict, init=False)
    _archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Write the first studies."""
        self._archive = Archive(self.folder, self.base)
        for _ in range(self.studies):
            self.add_study()

    @property
    def context(self) -> MappingContext:
        """The mapping's context of this site."""
        return MappingContext("R4", Settings(namespace=self.namespace, access=self.access))

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that it consists of, each of which a job of its own delivers."""
        return (self.folder,)

    def edit(self, *, removal: bool = True) -> str:
        """Change one thing, and return what it was.

        Args:
            removal: Whether an instance or a study may go.
        """
        chosen = self.rng.choice(self.edits(removal=removal))
        chosen()
        return chosen.__name__

    def edits(self, *, removal: bool) -> list[Callable[[], None]]:
        """Return what may be changed.

        Args:
            removal: Whether an instance or a study may go.
        """
        adding = [self.add_study, self.add_instance, self.reclaim, self.reclaim_one, self.turn]
        removing = [self.remove_instance, self.remove_study, self.return_study]
        return adding + removing if removal else adding

    def add_study(self) -> None:
        """Add a study of one to three instances."""
        study = len(self._claims) + len(self._gone) + 1
        claim = self._claim()
        for number in range(1, self.rng.randint(1, 3) + 1):
            self.write(study, number, claim)

    def add_instance(self) -> None:
        """Add an instance to a study."""
        study = self._any_study()
        held = self._claims[study]
        self.write(study, max(held) + 1, held[max(held)])

    def remove_instance(self) -> None:
        """Take an instance away from a study that has more than one."""
        several = [study for study, held in self._claims.items() if len(held) > 1]
        if not several:
            return
        study = self.rng.choice(several)
        number = self.rng.choice(sorted(self._claims[study]))
        del self._claims[study][number]
        self._path(study, number).unlink()

    def remove_study(self) -> None:
        """Take a study away, unless it is the last."""
        if len(self._claims) > 1:
            study = self._any_study()
            self._gone[study] = self._claims.pop(study)
            for number in self._gone[study]:
                self._path(study, number).unlink()

    def return_study(self) -> None:
        """Bring a study back that was taken away."""
        if self._gone:
            study = self.rng.choice(sorted(self._gone))
            for number, claim in self._gone.pop(study).items():
                self.write(study, number, claim)

    def reclaim(self) -> None:
        """Let all instances of a study say something else."""
        study, claim = self._any_study(), self._claim()
        removed = all(one.removed for one in self._claims[study].values())
        for number in self._claims[study]:
            self.write(study, number, replace(claim, removed=removed))

    def reclaim_one(self) -> None:
        """Let one instance of a study say something else than the others."""
        study = self._any_study()
        number = self.rng.choice(sorted(self._claims[study]))
        removed = self._claims[study][number].removed
        self.write(study, number, replace(self._claim(), removed=removed))

    def turn(self) -> None:
        """Withdraw what a study claims, or claim it again."""
        study = self._any_study()
        for number, claim in self._claims[study].items():
            self.write(study, number, replace(claim, removed=not claim.removed))

    def plan(self) -> Plan:
        """Note what the archive states now, and return it."""
        found = self.read(*self.folders)
        known = {id_ for plan in self.plans for id_ in (*plan.shas, *plan.refused)}
        vanished = known - found.shas.keys() - found.refused
        made = replace(found, vanished=frozenset(vanished))
        self.plans.append(made)
        return made

    def read(self, *folders: Path) -> Plan:
        """Return what some folders state, whatever was stated before."""
        found = Plan({}, {}, {}, {}, frozenset(), frozenset(), {})
        refused = set()
        for one in SyncWork(RunOptions(Files(folders), self.context).read(), self.context).units():
            if isinstance(one, Refused):
                refused.add(one.id)
            if isinstance(one, Unit):
                self.note(found, one)
        return replace(found, refused=frozenset(refused))

    def note(self, found: Plan, one: Unit) -> None:
        """Note in a plan what a study states."""
        for resource in (*one.shared, *one.own):
            found.resources[reference(resource)] = comparable(resource)
        found.devices.update({dev["id"]: digest(comparable(dev)) for dev in one.shared})
        found.shas[one.id] = one.sha
        found.provenances[one.id] = frozenset(each["id"] for each in one.provenances)
        for each in one.study["identifier"]:
            found.identifiers[f"{each['system']}|{each['value']}"] = one.id

    def write(self, study: int, number: int, claim: Claim) -> None:
        """Write an instance of a study, anew or for the first time."""
        self._claims.setdefault(study, {})[number] = claim
        self._archive.put(study, number, **self.attributes(claim))

    def attributes(self, claim: Claim) -> Json:
        """Return the attributes of an object that makes a claim."""
        return claim.attributes()

    def _claim(self) -> Claim:
        return Claim(self.rng.randint(1, 99), self.rng.choice((None, 0, 1)))

    def _any_study(self) -> int:
        return self.rng.choice(sorted(self._claims))

    def _path(self, study: int, number: int) -> Path:
        return self._archive.folder / f"{study}-1-{number}.dcm"
