"""`--existing`: the option, and how reports tell what became of others' ImagingStudies (D21)."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from deidfhir.config import EXISTING
from deidfhir.pipeline.mapped import Work

_WAYS = ("linked", "enriched", "owned", "failed")


def add_existing(one: argparse.ArgumentParser) -> None:
    """Add `--existing` to a command."""
    one.add_argument(
        "--existing",
        choices=EXISTING,
        help="where the target has someone else's ImagingStudy of a study: let our Provenance "
        "target it (link, the default), add our extensions to it (enrich), write ours beside it "
        "(own), or fail the study",
    )


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
