"""Instances folded into studies; agreement and conflict are data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Instance
from deidfhir.model.verdict import Verdict, folded, verdict_of


@dataclass(frozen=True)
class Study:
    """All instances of one study that were read, in an order that does not depend on reading.

    Args:
        uid: Study Instance UID.
        instances: One an instance, sorted by series UID and SOP Instance UID.
        findings: What is odd in it.
        conflicting: Whether two objects share a SOP Instance UID but differ in markers (D19).
    """

    uid: str
    instances: tuple[Instance, ...]
    findings: tuple[Finding, ...] = ()
    conflicting: bool = False

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """What its instances state, each object once, in their order."""
        return distinct(self.instances)

    @cached_property
    def path(self) -> str:
        """The first input path, which names the study where its UID may not show (D3)."""
        return min(instance.path for instance in self.instances)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict of the study (D2)."""
        return folded(verdict_of(one.markers)[0] for one in self.facts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all reasons of its instances' verdicts, sorted."""
        found = {code for one in self.facts for code in verdict_of(one.markers)[1]}
        return tuple(sorted(found))

    def of(self, instances: Iterable[Instance]) -> Study:
        """Return the study with these instances in place of its own, in its order."""
        return replace(self, instances=tuple(sorted(instances, key=_order)))

    def series(self) -> dict[str, tuple[Instance, ...]]:
        """Return series UID → its instances."""
        return self._series

    @cached_property
    def _series(self) -> dict[str, tuple[Instance, ...]]:
        groups: dict[str, list[Instance]] = {}
        for instance in self.instances:
            groups.setdefault(instance.facts.series_uid, []).append(instance)
        return {uid: tuple(members) for uid, members in groups.items()}


def distinct(instances: Iterable[Instance]) -> tuple[Facts, ...]:
    """Return what instances state, each object once, in their order.

    Args:
        instances: Any.
    """
    return tuple({id(one.facts): one.facts for one in instances}.values())


def _order(instance: Instance) -> tuple[str, str]:
    return instance.facts.series_uid, instance.sop_instance_uid


class Studies(Protocol):
    """Studies, whole, wherever their instances are kept."""

    def study(self, uid: str) -> Study:
        """Return one of the studies, by its Study Instance UID."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies, sorted by Study Instance UID."""


@dataclass(slots=True)
class _Gathered:
    instances: list[Instance] = field(default_factory=list)
    findings: set[Finding] = field(default_factory=set)


@dataclass(slots=True)
class StudyFold:
    """Gathers instances in any order and gives them back study by study."""

    _studies: dict[str, _Gathered] = field(default_factory=dict)

    def add(self, instance: Instance, findings: Iterable[Finding] = ()) -> None:
        """Take in one instance, and what reading it showed."""
        study = self._studies.setdefault(instance.study_uid, _Gathered())
        study.findings.update(findings)
        study.instances.append(instance)

    def study(self, uid: str) -> Study:
        """Return one of the studies, by its Study Instance UID."""
        gathered = self._studies[uid]
        return study_of(uid, gathered.instances, gathered.findings)

    def __len__(self) -> int:
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies, sorted by Study Instance UID."""
        for uid in sorted(self._studies):
            yield self.study(uid)


def study_of(uid: str, instances: Iterable[Instance], findings: Iterable[Finding]) -> Study:
    """Return a study in which each SOP Instance UID counts once (D19).

    Of copies with the same markers one stands, whatever the order of reading or the spelling of
    paths; a Patient ID on which they disagree is withheld (D6). Copies that differ in markers make
    the study a conflicting one.

    Args:
        uid: Study Instance UID.
        instances: As read, in any order, copies included.
        findings: What reading them showed.
    """
    members: dict[str, Instance] = {}
    several: dict[str, list[Instance]] = {}
    for one in instances:
        known = members.setdefault(one.sop_instance_uid, one)
        if known is not one:
            several.setdefault(one.sop_instance_uid, [known]).append(one)
    every, conflicting = set(findings), False
    for copied, copies in several.items():
        ordered = sorted(copies, key=lambda one: (repr(one._replace(path="", file="")), one.path))
        members[copied] = _standing(ordered, every)
        for copy in ordered[1:]:
            differs = copy.markers != ordered[0].markers
            conflicting |= differs
            code = "duplicate-instance-differs" if differs else "duplicate-instance"
            every.add(Finding(code, copy.path))
    found = tuple(sorted(members.values(), key=_order))
    return Study(uid, found, tuple(sorted(every)), conflicting)


def _standing(copies: list[Instance], findings: set[Finding]) -> Instance:
    """Return the copy that stands for all; where Patient IDs differ, without one (D6)."""
    first = copies[0]
    if len({one.facts.patient_id for one in copies}) == 1:
        return first
    findings.add(Finding("patient-ids-differ", first.path))
    withheld = first.facts.withheld | {"patient_id"}
    return first._replace(facts=replace(first.facts, patient_id="", withheld=withheld))
