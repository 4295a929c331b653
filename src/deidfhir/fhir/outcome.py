"""Findings as an OperationOutcome (FHIR operationoutcome.html), the same in every version."""

from __future__ import annotations

from collections.abc import Iterable

from deidfhir.fhir.extensions import system_address
from deidfhir.fhir.types import JsonObject
from deidfhir.model.finding import Finding


def operation_outcome(findings: Iterable[Finding], canonical: str) -> JsonObject:
    """Return findings as issues, in their order, each once.

    Args:
        findings: Of objects, studies or a run.
        canonical: The site's canonical base, of which the findings' code system is a part.
    """
    issues = [_issue(one, canonical) for one in dict.fromkeys(findings)]
    return {"resourceType": "OperationOutcome", "issue": issues or [_nothing()]}


def _issue(finding: Finding, canonical: str) -> JsonObject:
    coding = {"system": system_address(canonical, "finding"), "code": finding.code}
    words = f"{finding.action} ({finding.section})"
    return {
        "severity": finding.severity,
        "code": finding.issue,
        "details": {"coding": [coding], "text": finding.text},
        "diagnostics": f"{finding.path}: {words}" if finding.path else words,
    }


def _nothing() -> JsonObject:
    return {
        "severity": "information",
        "code": "informational",
        "details": {"text": "no findings"},
    }
