"""Whether the journal's acknowledgements may be believed."""

from __future__ import annotations

from deidfhir.sync.journal import Journal
from deidfhir.sync.target import Target


def is_trusted(journal: Journal, target: Target) -> bool:
    """Whether a target is as the journal's acknowledgements left it, as far as it tells.

    Args:
        journal: The target's.
        target: A server or a folder; one that does not tell of changes is believed.
    """
    stamp = target.stamp()
    return stamp is None or stamp == journal.identity("stamp")
