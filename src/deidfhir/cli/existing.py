"""How reports tell what became of others' ImagingStudies (D21)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from deidfhir.pipeline.mapped import Work

_WAYS = ("linked", "enriched", "owned", "failed")


def existing_object(work: Work, counts: Counter[str]) -> dict[str, Any]:
    """Return `existing` of `--json`.

    Args:
        work: Tells the mode.
        counts: How many studies stand in which way.
    """
    return {"mode": work.context.settings.existing, **{name: counts[name] for name in _WAYS}}


def existing_lines(work: Work, counts: Counter[str]) -> list[str]:
    """Return the line for people, if any study stands otherwise than in ours.

    Args:
        work: Tells the mode.
        counts: How many studies stand in which way.
    """
    told = ", ".join(f"{counts[name]} {name}" for name in _WAYS if counts[name])
    mode = work.context.settings.existing
    return [f"existing  {told} (--existing {mode})"] if counts.keys() - {"owned"} else []
