"""Instances folded into studies; agreement and conflict are data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.verdict import Verdict, folded, verdict_of


@dataclass(frozen=True, slots=True)
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

    @property
    def path(self) -> str:
        """The first input path, which names the study where its UID may not show (D3)."""
        return min(instance.path for instance in self.instances)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the study (D2)."""
        return folded(verdict_of(instance.markers)[0] for instance in self.instances)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all reasons of its instances' verdicts, sorted."""
        found = {code for one in self.instances for code in verdict_of(one.markers)[1]}
        return tuple(sorted(found))

    def of(self, instances: Iterable[Instance]) -> Study:
        """Return the study with these instances in place of its own, in its order."""
        return replace(self, instances=tuple(sorted(instances, key=_order)))

    def series(self) -> dict[str, tuple[Instance, ...]]:
        """Return series UID → its instances."""
        groups: dict[str, list[Instance]] = {}
        for instance in self.instances:
            groups.setdefault(instance.series_uid, []).append(instance)
        return {uid: tuple(members) for uid, members in groups.items()}


def _order(instance: Instance) -> tuple[str, str]:
    return instance.series_uid, instance.sop_instance_uid


@dataclass(slots=True)
class _Gathered:
    copies: dict[str, list[Instance]] = field(default_factory=dict)
    findings: set[Finding] = field(default_factory=set)


@dataclass(slots=True)
class StudyFold:
    """Gathers instances in any order and gives them back study by study."""

    _studies: dict[str, _Gathered] = field(default_factory=dict)

    def add(self, instance: Instance, findings: Iterable[Finding] = ()) -> None:
        """Take in one instance, and what reading it showed."""
        study = self._studies.setdefault(instance.study_uid, _Gathered())
        study.findings.update(findings)
        study.copies.setdefault(instance.sop_instance_uid, []).append(instance)

    def study(self, uid: str) -> Study:
        """Return one of the studies, by its Study Instance UID."""
        return _study(uid, self._studies[uid])

    def __len__(self) -> int:
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies, sorted by Study Instance UID."""
        for uid in sorted(self._studies):
            yield _study(uid, self._studies[uid])


def _study(uid: str, gathered: _Gathered) -> Study:
    """Return a study in which each SOP Instance UID counts once (D19).

    Of copies with the same markers one stands, whatever the order of reading or the spelling of
    paths; a Patient ID on which they disagree is withheld (D6). Copies that differ in markers make
    the study a conflicting one.
    """
    members, findings, conflicting = [], set(gathered.findings), False
    for copies in gathered.copies.values():
        ordered = sorted(copies, key=lambda one: (repr(replace(one, path="")), one.path))
        first = ordered[0]
        if len({one.patient_id for one in copies}) > 1:
            findings.add(Finding("patient-ids-differ", first.path))
            first = replace(first, patient_id="", withheld=first.withheld | {"patient_id"})
        members.append(first)
        for copy in ordered[1:]:
            differs = copy.markers != ordered[0].markers
            conflicting |= differs
            code = "duplicate-instance-differs" if differs else "duplicate-instance"
            findings.add(Finding(code, copy.path))
    members.sort(key=_order)
    return Study(uid, tuple(members), tuple(sorted(findings)), conflicting)
