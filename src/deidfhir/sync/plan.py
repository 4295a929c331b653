"""What must be sent for one study, given what the journal and the target know of it."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.journal import StudyRow
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Listing, Refused, Statements, Unit, instance_uids, with_recorded


@dataclass(slots=True)
class Plan:
    """The writes of one study.

    Args:
        id: The id of its ImagingStudy.
        name: The input path that names it.
        puts: Resources to put.
        stale: Provenance that are no longer stated, as the target has them.
        row: The row to store once the writes are acknowledged.
        before: The row to store before they are sent.
    """

    id: str
    name: str
    puts: list[JsonObject]
    stale: list[JsonObject]
    row: StudyRow
    before: StudyRow

    @property
    def deletes(self) -> list[str]:
        """The references to delete."""
        return [f"Provenance/{one['id']}" for one in self.stale]


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides what must be sent for a study.

    Args:
        listing: How this run saw its source.
        skipped_before: What earlier runs of the source skipped for cause, too.
        statements: Tells our Provenance from others', and makes what is left of a statement.
    """

    listing: Listing
    skipped_before: frozenset[str]
    statements: Statements

    def shrinks(self, unit: Unit, found: Found, row: StudyRow | None) -> bool:
        """Whether a unit lists fewer instances than the target, and may not (D19).

        It may only when the source that delivered the study was listed to its end, and no file
        of it is newly skipped.
        """
        if found.study is None or instance_uids(found.study) <= instance_uids(unit.study):
            return False
        delivered_all = row is not None and row.source == self.listing.source
        return not (delivered_all and self.listing.skipped <= self.skipped_before)

    def unit(self, unit: Unit, found: Found, row: StudyRow | None, now: str) -> Plan:
        """Return the writes that make the target state what a unit states.

        Args:
            unit: The study.
            found: What the target holds of it.
            row: What the journal knows of it.
            now: The instant for statements that are made for the first time.
        """
        recorded = {
            one["id"]: _first_recorded(one["id"], found, row, now) for one in unit.provenances
        }
        kept = {**(row.statements if row else {}), **recorded}
        source = self.listing.source
        return Plan(
            id=unit.id,
            name=unit.name,
            puts=[unit.study, *(with_recorded(one, recorded) for one in unit.provenances)],
            stale=self._stale(unit, found, row),
            row=StudyRow("sent", unit.sha, recorded, source),
            before=StudyRow("planned", "", kept, source),
        )

    def _stale(self, unit: Unit, found: Found, row: StudyRow | None) -> list[JsonObject]:
        """Return the Provenance of ours that the unit no longer states (D18)."""
        stated = {one["id"] for one in unit.provenances}
        journaled = set(row.statements) if row else set()
        return [
            one
            for one in found.provenances
            if one["id"] not in stated
            and (one["id"] in journaled or self.statements.is_ours(one, unit.study))
        ]

    def withdrawal(self, refused: Refused, found: Found, row: StudyRow | None) -> Plan:
        """Return the writes that withdraw what was stated of a study now refused.

        Args:
            refused: The study.
            found: What the target holds of it.
            row: What the journal knows of it.
        """
        puts, stale = [], []
        if found.study is not None:
            own = found.study
            stale = [one for one in found.provenances if self.statements.is_ours(one, own)]
            if stale or "extension" in own:
                puts.append(self.statements.withdrawn_study(own))
        source = row.source if row else self.listing.source
        return Plan(
            id=refused.id,
            name=refused.name,
            puts=puts,
            stale=stale,
            row=StudyRow("refused", "", {}, source),
            before=row or StudyRow("planned", "", {}, source),
        )


def _first_recorded(identity: str, found: Found, row: StudyRow | None, now: str) -> str | None:
    """Return when a statement was first made: the journal's word, else the target's, else now."""
    if row is not None and identity in row.statements:
        return row.statements[identity]
    for one in found.provenances:
        if one["id"] == identity:
            instant: str | None = one.get("recorded")
            return instant
    return now
