"""What an object, and a study of them, claims about the patient's identity (D1, D2)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from deidfhir.model.record import Markers, Masked, keyword_of, trimmed


class Verdict(StrEnum):
    """The claim, from an instance's root data set alone; `mixed` is for studies and series."""

    REMOVED = "removed"
    NOT_REMOVED = "not-removed"
    CONTRADICTORY = "contradictory"
    UNKNOWN = "unknown"
    MIXED = "mixed"


REASONS = {
    "identity-removed-yes": "Patient Identity Removed is YES",
    "identity-removed-no": "Patient Identity Removed is NO",
    "identity-removed-absent": "Patient Identity Removed is absent",
    "identity-removed-empty": "Patient Identity Removed is empty",
    "identity-removed-other": "Patient Identity Removed is neither YES nor NO",
    "burned-in-annotation-yes": "Burned In Annotation is YES",
    "method-stated": "a method or method codes are given",
}
"""Reason code → what it says."""


def verdict_of(markers: Markers) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict of one instance and the codes of its reasons (D1)."""
    values = markers.patient_identity_removed
    if values is None:
        return Verdict.UNKNOWN, ("identity-removed-absent",)
    word = keyword_of(values)
    if word == "YES":
        if keyword_of(markers.burned_in_annotation) == "YES":
            return Verdict.CONTRADICTORY, ("identity-removed-yes", "burned-in-annotation-yes")
        return Verdict.REMOVED, ("identity-removed-yes",)
    if word == "NO":
        if states_method(markers):
            return Verdict.CONTRADICTORY, ("identity-removed-no", "method-stated")
        return Verdict.NOT_REMOVED, ("identity-removed-no",)
    return Verdict.UNKNOWN, ("identity-removed-other" if word else "identity-removed-empty",)


def states_method(markers: Markers) -> bool:
    """Whether a method or a method code is given; an element that is empty gives none."""
    texts = markers.method or ()
    given = any(isinstance(one, Masked) or trimmed(one) for one in texts)
    return given or bool(markers.method_code)


def folded(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the one verdict of all, else `mixed` (D2); `unknown` when there is none."""
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    return Verdict.MIXED if found else Verdict.UNKNOWN
