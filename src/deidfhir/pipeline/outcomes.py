"""What came of each request that a run has taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deidfhir.model.finding import Finding
from deidfhir.pipeline.delivery import Delivery
from deidfhir.pipeline.runs import SyncRun

STATED, REFUSED, FAILED = "stated", "refused", "failed"
_MOST_TOLD = 100
"""Findings of one request that are kept, for many are: errors before all others."""

_FAILING = frozenset({"rejected", "server-failed", "ambiguous-resource", "set-aside"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request.

    Args:
        state: `stated`, `refused` (by the gate, or in view of what is there already) or `failed`
            (the target has refused it).
        findings: What there is to say of it; its objects are named by their number, as `#1`.
    """

    state: str
    findings: tuple[Finding, ...] = ()


def outcomes_of(run: SyncRun, deliveries: Iterable[Delivery]) -> dict[str, Outcome]:
    """Return unit → what came of it.

    Args:
        run: The run, which came to its end.
        deliveries: What it has taken.
    """
    told: dict[str, set[str]] = {}
    for trouble in run.report.told:
        told.setdefault(trouble.name, set()).add(trouble.code)
    for refusal in run.work.refusals:
        told.setdefault(refusal.path, set()).add(refusal.finding.code)
    by_object = {
        one.path: (study.path, told.get(study.path, set()))
        for study in run.work.reading.studies
        for one in study.instances
    }
    odd: dict[str, set[Finding]] = {}
    for one in run.work.findings:
        unit, mark, number = one.path.partition("#")
        odd.setdefault(unit, set()).add(Finding(one.code, mark + number))
    return {one.unit: _outcome(one, by_object, odd.get(one.unit, set())) for one in deliveries}


def _outcome(
    one: Delivery, by_object: dict[str, tuple[str, set[str]]], odd: set[Finding]
) -> Outcome:
    first: dict[str, str] = {}
    codes: dict[str, set[str]] = {}
    for instance in one.instances:
        study, said = by_object.get(one.unit + instance.path, ("", set()))
        first.setdefault(study, instance.path)
        codes[study] = said
    told = {Finding(code, first[study]) for study, said in codes.items() for code in said}
    state = STATED
    if any(each.severity == "error" for each in told):
        state = FAILED if _FAILING & {each.code for each in told} else REFUSED
    every = sorted(told | odd, key=lambda one: (one.severity != "error", one))
    return Outcome(state, tuple(sorted(every[:_MOST_TOLD])))
