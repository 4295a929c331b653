"""When someone else's ImagingStudy must not be put: it could not come back as it was (D21)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.comparing import stands
from deidfhir.sync.plan import Plan
from deidfhir.sync.standing import version_of
from deidfhir.sync.target import Found, Target
from deidfhir.sync.unit import Unit
from deidfhir.web.outcome import objects

_SUBSETTED = "SUBSETTED"  # FHIR search.html#summary; the code alone: no other system has it


def is_subsetted(resource: JsonObject) -> bool:
    """Whether a target gave only a part of a resource: what it left out would be lost."""
    meta = resource.get("meta")
    tags = objects(meta.get("tag")) if isinstance(meta, dict) else []
    return any(one.get("code") == _SUBSETTED for one in tags)


def reason_against(puts: Iterable[JsonObject], found: Found, target: Target) -> str:
    """Return the finding for which some writes must not be, or an empty text.

    Args:
        puts: What is to be put.
        found: What the target holds of the study.
        target: One that tells no stamp is a server, where others write at any time.
    """
    others = {one["id"]: one for one in found.others}
    for one in puts:
        theirs = others.get(one["id"]) if one["resourceType"] == "ImagingStudy" else None
        if theirs is None or stands(one, theirs):
            continue
        if is_subsetted(theirs):
            return "existing-subsetted"
        if target.stamp() is not None:
            continue
        if not version_of(theirs):
            return "existing-unversioned"
        if _has_half_pairs(theirs):
            return "existing-unwritable"
    return ""


def reason_to_leave(plan: Plan, found: Found, target: Target) -> str:
    """Return the finding for which a study stays as it is, or an empty text.

    Args:
        plan: What is to be done.
        found: What the target holds of the study.
        target: As for `reason_against`.
    """
    # What stands on theirs cannot be seen in a part of it; a stated study has been decided.
    if not isinstance(plan.one, Unit) and any(is_subsetted(one) for one in found.others):
        return "existing-subsetted"
    return reason_against(plan.puts, found, target)


def _has_half_pairs(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a text holds half a pair of surrogates: no server is bound to keep it."""
    if isinstance(value, dict):
        return any(_has_half_pairs(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return any(_has_half_pairs(one) for one in value)
    return isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value)
