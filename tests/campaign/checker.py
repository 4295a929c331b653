"""Compares a server and a journal with the plan: lost, doubled, spurious, and lies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from deidfhir.fhir.types import reference
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.statements import OurStatements
from deidfhir.pipeline.units import SyncWork
from deidfhir.sync.comparing import comparable
from deidfhir.sync.journal import Journal, StudyRow
from tests.campaign.world import Plan, World
from tests.integration.support import search

Json = dict[str, Any]
_WORDS = ("withdrawn", "retired")
_SETTLED = frozenset({"sent", "refused", "retired", "deleted"})


@dataclass(frozen=True)
class Version:
    """One version in a history; None for a deletion."""

    number: str
    resource: Json | None


@dataclass
class Faults:
    """What the checker found, in words.

    Attributes:
        lost: What the server should hold and does not, or holds as it was.
        doubled: What the server holds beside the plan.
        spurious: Versions that no change called for.
        lies: Where the journal says otherwise than the server.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    spurious: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Everything, each with its kind."""
        kinds = ("lost", "doubled", "spurious", "lies")
        return [f"{kind}: {one}" for kind in kinds for one in getattr(self, kind)]


@dataclass
class Checker:
    """Compares after an episode.

    Args:
        url: The server itself, past the proxy.
        world: The plans of every run, the last of which must stand.
        journal: The journal's file.
        since: The instant at which the episode began: all that was written since is its own.
        marks: Whether a Provenance that is marked as withdrawn counts as deleted (D18).
    """

    url: str
    world: World
    journal: Path
    since: str
    marks: bool = False
    faults: Faults = field(default_factory=Faults, init=False)

    def check(self) -> Faults:
        """Look at everything."""
        histories = self.histories()
        self._check_held(histories)
        self._check_versions(histories)
        self._check_searches()
        self._check_journal(histories)
        return self.faults

    @property
    def written_since(self) -> str:
        """Where all that was written since the episode began is listed."""
        return f"{self.url}/_history?_since={quote(self.since)}&_count=200"

    @property
    def _plan(self) -> Plan:
        return self.world.plans[-1]

    @property
    def _statements(self) -> OurStatements:
        return OurStatements(SyncWork(read_paths([]), self.world.context))

    def histories(self) -> dict[str, list[Version]]:
        """Return every version of every resource that was written since, oldest first."""
        found: dict[str, list[Version]] = {}
        for entry in pages(self.written_since):
            resource = entry.get("resource")
            name = reference(resource) if resource else "/".join(_url_of(entry).split("/")[:2])
            number = resource["meta"]["versionId"] if resource else ""
            if resource and self.marks and self._statements.is_withdrawn(resource):
                resource = None
            found.setdefault(name, []).insert(0, Version(number, resource))
        return found

    def _check_held(self, histories: dict[str, list[Version]]) -> None:
        for name, planned in self._plan.resources.items():
            held = histories[name][-1].resource if name in histories else None
            if held is None:
                self.faults.lost.append(f"{name} is not there")
            elif comparable(held) != planned:
                self.faults.lost.append(f"{name} is not as planned")
        for name in histories.keys() - self._plan.resources.keys():
            if histories[name][-1].resource is not None and not self._may_stay(name):
                self.faults.doubled.append(f"{name} is there and not planned")

    def _may_stay(self, name: str) -> bool:
        """Whether something stays although it is planned no more.

        Devices do, what is left of a withdrawn study, and a study that has vanished (D20).
        """
        if name.partition("/")[2] in self._plan.refused | self._plan.vanished:
            return True
        if self._study_of(name) in self._plan.vanished:
            return True
        return name.startswith("Device/") and any(name in one.resources for one in self.world.plans)

    def _study_of(self, name: str) -> str:
        """Return the id of the study for which a Provenance was ever planned."""
        identity = name.removeprefix("Provenance/")
        for plan in self.world.plans:
            for study, statements in plan.provenances.items():
                if identity in statements:
                    return study
        return ""

    def _check_versions(self, histories: dict[str, list[Version]]) -> None:
        for name, versions in histories.items():
            held = [one.resource and comparable(one.resource) for one in versions]
            for before, after in pairwise(held):
                if before == after:
                    self.faults.spurious.append(f"{name} has a version that changes nothing")
            if None not in held and versions[-1].number != str(len(versions)):
                self.faults.spurious.append(f"{name} is {len(versions)} changes, not versions")
            self.check_order(name, [one.resource for one in versions])
            self._check_recorded(name, versions)

    def check_order(self, name: str, held: list[Json | None]) -> None:
        """The versions must be what was planned, in the order in which it was planned."""
        steps = iter(self._planned(name))
        for number, one in enumerate(held):
            before = held[number - 1] if number else None
            if not any(self.is_step(one, step, before) for step in steps):
                self.faults.spurious.append(f"{name} has a version that was never planned so")
                return

    def _planned(self, name: str) -> Iterator[str | None]:
        """Yield what was planned for a resource, run by run.

        A word of `_WORDS` stands for what depends on what the server held.
        """
        identity, study = name.partition("/")[2], self._study_of(name)
        before: str | None = None
        for plan in self.world.plans:
            step = plan.resources.get(name)
            if identity in plan.refused:
                step = "withdrawn"
            elif identity in plan.vanished:
                step = "retired"
            elif study in plan.vanished:
                continue  # its statements stay as they are
            if step != before:
                yield step
            before = step

    def is_step(self, held: Json | None, step: str | None, before: Json | None) -> bool:
        """Whether a version is what was planned, given the one before it."""
        if held is None or step not in _WORDS:
            return (held and comparable(held)) == step
        if before is None:
            return False
        statements = self._statements
        made = statements.retired_study if step == "retired" else statements.withdrawn_study
        return comparable(held) == comparable(made(before))

    def _check_recorded(self, name: str, versions: list[Version]) -> None:
        """A statement keeps the instant at which it was first made, until it is deleted."""
        instants: set[object] = set()
        for one in versions:
            if one.resource is None:
                instants.clear()
            else:
                instants.add(one.resource.get("recorded"))
            if len(instants) > 1:
                self.faults.spurious.append(f"{name} was recorded anew")
                return

    def _check_searches(self) -> None:
        """Ask as a reader would: by the study's identifier, and for what targets it."""
        studies, statements = self._plan.identifiers, self._plan.provenances
        found = {one["id"] for one in self._found("ImagingStudy", "identifier", studies)}
        planned = set(studies.values())
        self.faults.lost += [f"ImagingStudy/{one} is not found" for one in planned - found]
        self.faults.doubled += [f"ImagingStudy/{one} is found, too" for one in found - planned]
        held = self._found("Provenance", "target", self.targets())
        marked = {one["id"] for one in held if self.marks and self._statements.is_withdrawn(one)}
        left = {one["id"] for one in held if self._study_of(one["id"]) in self._plan.vanished}
        names = {one["id"] for one in held} - marked - left
        every = {one for ids in statements.values() for one in ids}
        self.faults.lost += [f"Provenance/{one} targets nothing" for one in every - names]
        self.faults.doubled += [f"Provenance/{one} targets a study" for one in names - every]

    def targets(self) -> list[str]:
        """Return what our statements may target."""
        return [f"ImagingStudy/{one}" for one in (*self._plan.provenances, *self._plan.refused)]

    def _found(self, kind: str, parameter: str, values: Iterable[str]) -> list[Json]:
        tokens = quote(",".join(values), safe=",/")
        return list(search(self.url, f"{kind}?{parameter}={tokens}&_count=100")) if tokens else []

    def _check_journal(self, histories: dict[str, list[Version]]) -> None:
        with closing(Journal(self.journal, read_only=True)) as journal:
            for identity, state in journal._store.rows("SELECT id, state FROM study"):
                if state not in _SETTLED:
                    self.faults.lies.append(f"{identity} is {state}")
            for letter in journal.dead.every():
                self.faults.lies.append(f"{letter.id} is set aside ({letter.answer})")
            for identity, sha in self._plan.devices.items():
                if journal.device(identity) != sha:
                    self.faults.lies.append(f"Device/{identity} is not acknowledged as it is")
            for identity in self._plan.shas:
                self._check_row(journal, identity, histories)

    def is_acknowledged(self, identity: str, row: StudyRow) -> bool:
        """Whether the journal says of a study what was to be stated."""
        return row.sha == self._plan.shas[identity]

    def _check_row(
        self, journal: Journal, identity: str, histories: dict[str, list[Version]]
    ) -> None:
        row = journal.study(identity)
        if row is None or row.state != "sent" or not self.is_acknowledged(identity, row):
            self.faults.lies.append(f"{identity} is not acknowledged as it is")
            return
        held = {
            one: (histories[f"Provenance/{one}"][-1].resource or {}).get("recorded")
            for one in self._plan.provenances[identity]
            if f"Provenance/{one}" in histories
        }
        if row.statements != held:
            self.faults.lies.append(f"{identity} has other instants of recording than the server")


def pages(url: str, decimal: Callable[[str], float] = float) -> Iterator[Json]:
    """Yield the entries of a Bundle and of those that follow it.

    Args:
        url: Of the first.
        decimal: What is made of a decimal.
    """
    following = url
    while following:
        answer = requests.get(following, headers={"Cache-Control": "no-cache"}, timeout=60)
        answer.raise_for_status()
        bundle = json.loads(answer.text, parse_float=decimal)
        yield from bundle.get("entry", ())
        links = {one["relation"]: one["url"] for one in bundle.get("link", ())}
        following = links.get("next", "")


def _url_of(entry: Json) -> str:
    url: str = entry["request"]["url"]
    return url.partition("/fhir/")[2] or url
