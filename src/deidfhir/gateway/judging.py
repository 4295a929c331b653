"""What objects, or FHIR resources, claim: verdicts and reasons, and no value of an attribute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.answers import Refused, refused
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.reverse import StatedInstance, read_back
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict, folded, verdict_of
from deidfhir.pipeline.gate import admitted

NOT_STATED = "not-stated"
"""The reason where a resource states nothing of an instance."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one instance claims.

    Args:
        verdict: Its verdict (D1).
        reasons: Codes of the verdict's reasons.
    """

    verdict: Verdict
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the claim for an answer."""
        return {"verdict": self.verdict.value, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one study claims.

    Args:
        name: What it is called in the answer: its first object or its place in the request.
        claims: Those of its instances.
        refusal: Code of the finding that the gate refuses it for, or empty.
        findings: What is odd in it.
    """

    name: str
    claims: tuple[Claim, ...]
    refusal: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Its verdict (D2); of a study without instances nothing is known."""
        return folded(one.verdict for one in self.claims)

    @property
    def is_accepted(self) -> bool:
        """Whether the gate lets it pass."""
        return not self.refusal

    @property
    def reasons(self) -> list[str]:
        """The codes of all reasons of its instances' verdicts, sorted."""
        return _reasons(self.claims)

    def as_dict(self) -> dict[str, Any]:
        """Return the study for an answer."""
        counts = Counter(one.verdict.value for one in self.claims)
        return {
            "study": self.name,
            "verdict": self.verdict.value,
            "reasons": self.reasons,
            "accepted": self.is_accepted,
            "refusal": self.refusal or None,
            "instances": len(self.claims),
            "verdicts": {one.value: counts[one.value] for one in Verdict if one != Verdict.MIXED},
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a request claims.

    Args:
        studies: Its studies.
        claims: Those of its instances, in the order given.
    """

    studies: tuple[Judged, ...]
    claims: tuple[Claim, ...]

    @property
    def verdict(self) -> Verdict:
        """The one verdict of all instances, else `mixed`."""
        return folded(one.verdict for one in self.claims)

    @property
    def reasons(self) -> list[str]:
        """The codes of all reasons of its instances' verdicts, sorted."""
        return _reasons(self.claims)

    @property
    def findings(self) -> list[Finding]:
        """What is odd in its studies."""
        return [each for one in self.studies for each in one.findings]

    @property
    def is_accepted(self) -> bool:
        """Whether the gate lets all of it pass."""
        return all(one.is_accepted for one in self.studies)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of `POST /verdict`; docs/gateway.md describes its keys."""
        return {
            "verdict": self.verdict.value,
            "reasons": self.reasons,
            "accepted": self.is_accepted,
            "studies": [one.as_dict() for one in self.studies],
            "instances": [one.as_dict() for one in self.claims],
            "findings": [one.as_dict() for one in self.findings],
        }


def _reasons(claims: Iterable[Claim]) -> list[str]:
    return sorted({reason for one in claims for reason in one.reasons})


def judged_objects(
    studies: Iterable[Study], instances: Sequence[Instance], context: MappingContext
) -> Judgement:
    """Return what objects claim.

    Args:
        studies: Their studies.
        instances: All of them, in the order given, copies included.
        context: Its policy is the gate's.
    """
    found = []
    for study in studies:
        findings = tuple(findings_of(study))
        mapped, refusal = admitted(study, context, findings)
        findings += mapped.findings if mapped else ()
        claims = tuple(_claim_of(one) for one in study.instances)
        code = refusal.finding.code if refusal else ""
        found.append(Judged(study.path, claims, code, findings))
    return Judgement(tuple(found), tuple(_claim_of(one) for one in instances))


def _claim_of(instance: Instance) -> Claim:
    return Claim(*verdict_of(instance.markers))


def judged_resources(resources: Iterable[JsonObject], context: MappingContext) -> Judgement:
    """Return what FHIR resources state; an instance of which they state nothing is `unknown`.

    Args:
        resources: ImagingStudy and Provenance, or Bundles that hold them.
        context: Its policy says which verdicts are accepted.

    Raises:
        Refused: `statement-unreadable` or `study-missing`.
    """
    broken: list[Finding] = []
    stated = read_back(
        resources, lambda place: broken.append(Finding("statement-unreadable", place.rstrip(".")))
    )
    if broken:
        raise Refused(*broken)
    if not stated:
        raise refused("study-missing")
    found = []
    for number, study in enumerate(stated, start=1):
        claims = tuple(_stated_claim(one) for one in study.instances)
        accepted = folded(one.verdict for one in claims) in context.in_force.accept
        found.append(Judged(f"#{number}", claims, "" if accepted else "not-accepted"))
    return Judgement(tuple(found), tuple(one for study in found for one in study.claims))


def _stated_claim(instance: StatedInstance) -> Claim:
    if instance.verdict is None:
        return Claim(Verdict.UNKNOWN, (NOT_STATED,))
    return Claim(instance.verdict, instance.reasons)
