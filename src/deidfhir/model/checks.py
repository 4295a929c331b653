"""Consistency of an instance's markers (PS3.3 C.7.1.1, PS3.15 Annex E), as findings."""

from __future__ import annotations

from collections.abc import Iterator

from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, trimmed
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict, states_method, verdict_of


def findings_of(study: Study) -> tuple[Finding, ...]:
    """Return what is odd in a study, each code once with the first input that shows it."""
    first: dict[str, str] = {}
    every = [*study.findings]
    every += [Finding(code, one.path) for one in study.instances for code in _codes(one)]
    for finding in sorted(every):
        first.setdefault(finding.code, finding.path)
    return tuple(Finding(code, path) for code, path in sorted(first.items()))


def _codes(instance: Instance) -> Iterator[str]:
    markers = instance.markers
    values = markers.patient_identity_removed
    word = trimmed("\\".join(values or ()))
    verdict = verdict_of(markers)[0]
    method = states_method(markers)
    if word.upper() == "YES" and not method:
        yield "method-missing"
    if not word and method:
        yield "method-without-marker"
    if word.upper() == "NO" and method:
        yield "method-although-not-removed"
    if word.upper() in ("YES", "NO") and word not in ("YES", "NO"):
        yield "marker-spelling"
    if verdict is Verdict.CONTRADICTORY and word.upper() == "YES":
        yield "burned-in-identity"
