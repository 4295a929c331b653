"""When a statement was first made: what our Provenance say under `recorded` (D15)."""

from __future__ import annotations

from deidfhir.sync.journal import LEAVING, StudyRow
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Statements


def first_recorded(
    identity: str, found: Found, row: StudyRow | None, now: str, statements: Statements
) -> str | None:
    """Return when a statement was first made: by the journal, else by the target, else now.

    Args:
        identity: The id of its Provenance.
        found: What the target holds of the study.
        row: What the journal knows of it.
        now: The instant for one that is made for the first time.
        statements: Tells what is withdrawn.
    """
    # What was leaving and is no longer there was deleted: it starts anew (D15).
    known = row is not None and (
        row.state != LEAVING or any(one["id"] == identity for one in found.provenances)
    )
    if known and row is not None and identity in row.statements:
        return row.statements[identity]
    for one in found.provenances:
        if one["id"] == identity and not statements.is_withdrawn(one):
            instant: str | None = one.get("recorded")
            return instant
    return now
