"""An archive of two folders: the parts of a study lie in both, and each has a job of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from deidfhir.pipeline.files import read_paths
from deidfhir.sync.journal import StudyRow
from tests.campaign.checker import Checker
from tests.campaign.world import Claim, Plan, World
from tests.integration.support import Archive

Json = dict[str, Any]
Seen = tuple[int, int]
"""Of one folder: the number of the last plan whose listing was seen, and whose files were read."""


@dataclass
class PartedWorld(World):
    """Two folders, in either of which an instance may lie.

    What each folder held is kept, plan by plan: what a server may hold meanwhile is what one run
    over both would state of what was last seen in each.
    """

    _where: dict[tuple[int, int], int] = field(default_factory=dict, init=False)
    _highest: dict[int, int] = field(default_factory=dict, init=False)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The two folders."""
        return (self.folder / "a", self.folder / "b")

    def __post_init__(self) -> None:
        """Write the first studies."""
        super().__post_init__()
        self._fill()

    def edit(self, *, removal: bool = True) -> str:
        """Change one thing; a folder never stays empty, which would pass for one not mounted."""
        done = super().edit(removal=removal)
        self._fill()
        return done

    def add_instance(self) -> None:
        """Add an instance to a study, whose number no other had before."""
        study = self._any_study()
        claims = self._claims[study]
        self.write(study, self._highest[study] + 1, claims[max(claims)])

    def write(self, study: int, number: int, claim: Claim) -> None:
        """Write an instance of a study, anew or for the first time."""
        self._highest[study] = max(number, self._highest.get(study, 0))
        if (study, number) not in self._where:
            self._where[study, number] = self.rng.randint(0, 1)
        self._claims.setdefault(study, {})[number] = claim
        archive = Archive(self.folders[self._where[study, number]], self.base)
        archive.put(study, number, **self.attributes(claim))

    def plan(self) -> Plan:
        """Note what the archive states now, and keep what each folder holds."""
        kept = self.folder.with_name("kept") / str(len(self.plans))
        for one in self.folders:
            shutil.copytree(one, kept / one.name)
        return super().plan()

    def kept(self, folder: Path, number: int) -> dict[str, Path]:
        """Return the files of a folder as they were at a plan; before the first, there are none."""
        if number < 0:
            return {}
        place = self.folder.with_name("kept") / str(number) / folder.name
        return {one.name: one for one in sorted(place.iterdir())}

    def _fill(self) -> None:
        for number, folder in enumerate(self.folders):
            if folder.is_dir() and any(folder.iterdir()):
                continue
            study = self._any_study()
            self._where[study, self._highest[study] + 1] = number
            claims = self._claims[study]
            self.write(study, self._highest[study] + 1, claims[max(claims)])

    def _path(self, study: int, number: int) -> Path:
        return self.folders[self._where[study, number]] / f"{study}-1-{number}.dcm"


@dataclass
class PartedChecker(Checker):
    """Compares with what one run over both folders would state.

    In the end just that must be there. Meanwhile a version may state, of each folder, what a run
    saw of it, never of less than before; and of a run that saw a new listing and did not get its
    statements through, the listing alone counts: what is on it no more may go (D19).
    """

    _stated: dict[str, Plan] = field(default_factory=dict, init=False)
    _by_pair: dict[tuple[Seen, Seen], Plan] = field(default_factory=dict, init=False)

    def check_order(self, name: str, held: list[Json | None]) -> None:
        """The versions must be what was planned of what was seen, in the order of seeing."""
        reached: set[tuple[Seen, Seen]] = {((-1, -1), (-1, -1))}
        for number, one in enumerate(held):
            before = held[number - 1] if number else None
            reached = {
                pair
                for pair in self._pairs
                if self._may_be(name, one, pair, before)
                and any(_follows(pair, other) for other in reached)
            }
            if not reached:
                self.faults.spurious.append(f"{name} has a version that was never planned so")
                return

    def is_acknowledged(self, identity: str, row: StudyRow) -> bool:
        """Whether the journal says of a study what each folder states of it."""
        return all(
            identity not in plan.shas
            or (source in row.parts and row.parts[source].sha == plan.shas[identity])
            for source, plan in self._parts.items()
        )

    def _study_of(self, name: str) -> str:
        """Return the id of the study for which a Provenance was planned, or stated meanwhile."""
        identity = name.removeprefix("Provenance/")
        plans = (self._of(pair) for pair in self._pairs)
        meanwhile = (
            study for one in plans for study, ids in one.provenances.items() if identity in ids
        )
        return super()._study_of(name) or next(meanwhile, "")

    @property
    def _parted(self) -> PartedWorld:
        assert isinstance(self.world, PartedWorld)
        return self.world

    @cached_property
    def _parts(self) -> dict[str, Plan]:
        folders = self._parted.folders
        return {read_paths([one]).source: self.world.read(one) for one in folders}

    @cached_property
    def _pairs(self) -> list[tuple[Seen, Seen]]:
        whole = range(-1, len(self.world.plans))
        each = [(listed, read) for listed, read in product(whole, whole) if read <= listed]
        return list(product(each, each))

    def _may_be(
        self, name: str, held: Json | None, pair: tuple[Seen, Seen], before: Json | None
    ) -> bool:
        plan = self._of(pair)
        study = self._study_of(name) or name.partition("/")[2]
        is_study = name.startswith("ImagingStudy/")
        if study in plan.refused:
            return self.is_step(held, "withdrawn" if is_study else None, before)
        if study not in plan.shas and any(study in one.shas for one in self.world.plans):
            # In neither folder: it has vanished, or has not come yet; what was stated of it stays.
            return is_study and self.is_step(held, "retired", before)
        return self.is_step(held, plan.resources.get(name), before)

    def _of(self, pair: tuple[Seen, Seen]) -> Plan:
        """Return what one run over both folders states of what was seen of them."""
        if pair in self._by_pair:
            return self._by_pair[pair]
        files = dict(self._files(pair))
        texts = (f"{name} {sha256(one.read_bytes()).hexdigest()}" for name, one in files.items())
        key = " ".join(sorted(texts))
        if key not in self._stated:
            self._stated[key] = self.world.read(*files.values())
        self._by_pair[pair] = self._stated[key]
        return self._stated[key]

    def _files(self, pair: tuple[Seen, Seen]) -> Iterator[tuple[str, Path]]:
        for folder, (listed, read) in zip(self._parted.folders, pair, strict=True):
            there = self._parted.kept(folder, listed)
            for name, path in self._parted.kept(folder, read).items():
                if name in there:
                    yield name, path


def _follows(pair: tuple[Seen, Seen], other: tuple[Seen, Seen]) -> bool:
    """Whether one state of both folders may be seen after another."""
    mine = (*pair[0], *pair[1])
    return all(one >= before for one, before in zip(mine, (*other[0], *other[1]), strict=True))
