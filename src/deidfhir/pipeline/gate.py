"""The gate: which studies may be mapped at all (D3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, map_study
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.policy.policy import Policy, accepted_verdicts

WITHDRAWING = frozenset({"not-accepted", "refused-by-policy"})
"""Codes of refusals after which what was stated of the study before must not stand (D18)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A study that is not mapped.

    Args:
        path: Its first input path; its identifiers do not show (D3).
        verdict: Its verdict.
        reasons: Codes of the verdict's reasons.
        finding: Why it is refused.
        detail: The elements at fault, or the findings that the policy refuses; or empty.
    """

    path: str
    verdict: Verdict
    reasons: tuple[str, ...]
    finding: Finding
    detail: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the refusal for `--json`."""
        return {
            "path": self.path,
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "finding": self.finding.as_dict(),
            "detail": self.detail,
        }


def admitted(
    study: Study,
    context: MappingContext,
    findings: Iterable[Finding],
    held: tuple[Instance, ...] = (),
) -> tuple[MappedStudy | None, Refusal | None]:
    """Return what is made of a study, and why it is refused, if it is.

    What mapping shows is known only once it is made: then both are returned.

    Args:
        study: The study.
        context: The mapping's; its policy is the gate's.
        findings: What is known to be odd in the study.
        held: Further instances of it, as an earlier run let them leave (D19).
    """
    whole = (
        study
        if not held
        else study.of((*study.instances, *(one._replace(path=study.path) for one in held)))
    )
    refused = refusal_of(whole, context.in_force, findings)
    if refused is not None:
        return None, refused
    mapped = map_study(study, context, held)
    return mapped, refusal_of(whole, context.in_force, mapped.findings)


def parse_accept(words: str) -> frozenset[Verdict]:
    """Return the verdicts of `--accept`.

    Args:
        words: Comma-separated verdicts, or `all`.

    Raises:
        UsageError: `accept-unknown`.
    """
    return accepted_verdicts(part.strip() for part in words.split(","))


def refusal_of(study: Study, policy: Policy, findings: Iterable[Finding] = ()) -> Refusal | None:
    """Return why a study is refused, or None if it may be mapped.

    Args:
        study: The study.
        policy: The policy in force.
        findings: What is known to be odd in it.
    """
    if study.conflicting:
        return refusal(study, "duplicate-instance-differs")
    if study.verdict not in policy.accept:
        return refusal(study, "not-accepted")
    if refused := sorted({one.code for one in findings} & policy.refuse):
        return refusal(study, "refused-by-policy", ", ".join(refused))
    return None


def refusal(study: Study, code: str, detail: str = "") -> Refusal:
    """Return the refusal of a study for a finding's reason."""
    return Refusal(study.path, study.verdict, study.reasons, Finding(code, study.path), detail)
