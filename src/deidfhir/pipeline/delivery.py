"""What one request brings to be stated, under a name that the same content always has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from hashlib import sha256

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.leaving import LeavingStudy, leaving_study
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Facts, Instance
from deidfhir.model.study import Study
from deidfhir.pipeline.gate import admitted
from deidfhir.sync.comparing import comparable

_DIGITS = 32
_PLACE = "request"
"""Stands where the path of a file would: what came has none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one request brings.

    Args:
        unit: Its name: made of what leaves, and of nothing else that the objects state.
        instances: Its objects; each is named by its number in the request, as `#1`.
        findings: What reading them showed.
        studies: Ids of the ImagingStudies that it says something of.
        names: What stands for each of its instances, and for its study.
        size: How many characters its objects state, those of a series once: what it weighs.
    """

    unit: str
    instances: tuple[Instance, ...]
    findings: tuple[tuple[str, Finding], ...]
    studies: frozenset[str]
    names: frozenset[str]
    size: int = 0

    def told(self) -> Iterator[tuple[Instance, list[Finding]]]:
        """Yield its instances, named so that no other unit's are called the same."""
        for one in self.instances:
            path = self.unit + one.path
            found = [Finding(each.code, path) for place, each in self.findings if place == one.path]
            yield one._replace(path=path), found


def delivery_of(
    studies: Iterable[Study], instances: Iterable[Instance], context: MappingContext
) -> Delivery:
    """Return what a request brings.

    Args:
        studies: Its studies.
        instances: All its objects, in the order given, copies included.
        context: The mapping's: what it lets leave is what counts.
    """
    namer = context.namer
    told: list[list[object]] = []
    ids: set[str] = set()
    names: set[str] = set()
    findings: list[tuple[str, Finding]] = []
    states: dict[str, str] = {}
    for study in studies:
        identity = namer.imaging_study(study.uid)
        members = sorted(namer.stands_for(one.sop_instance_uid) for one in study.instances)
        ids.add(identity)
        names.update(f"{identity} {one}" for one in members)
        findings += [(one.path, one) for one in study.findings]
        stated, leaving = _stated(study, context)
        told.append([identity, members, *stated])
        states |= _states(leaving)
    text = json.dumps([context.digest, sorted(told, key=repr)])
    unit = _digest(text)[:_DIGITS]
    every = tuple(one._replace(file=states.get(one.sop_instance_uid, "")) for one in instances)
    size = sum(map(len, {id(one.facts): _told(one.facts) for one in every}.values()))
    return Delivery(unit, every, tuple(findings), frozenset(ids), frozenset(names), size)


def _stated(study: Study, context: MappingContext) -> tuple[list[object], LeavingStudy]:
    """Return what would be stated of a study by itself, or why it would be refused."""
    mapped, refused = admitted(study, context, findings_of(study))
    leaving = mapped.leaving if mapped else leaving_study(study, context)[0]
    if mapped is None or refused is not None:
        return [study.verdict.value, refused.finding.code if refused else ""], leaving
    return [comparable(one) for one in mapped.resources], leaving


def _states(leaving: LeavingStudy) -> dict[str, str]:
    """Return instance UID → what stands for what it lets leave, in place of a file (D19)."""
    facts = {id(one): _told(one) for one in leaving.facts}
    return {
        one.sop_instance_uid: f"{_PLACE}.{_digest(one.instance_number + facts[id(one.facts)])[:10]}"
        for one in leaving.instances
    }


def _told(facts: Facts) -> str:
    """Return facts as a text that is the same in every process."""
    values = (getattr(facts, one.name) for one in fields(facts))
    return repr([sorted(one) if isinstance(one, frozenset) else one for one in values])


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
