"""What must be sent for a study that has vanished: retired or deleted (D20)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.journal import DELETED, DELIVERED, LEAVING, RETIRED, StudyRow
from deidfhir.sync.plan import Plan
from deidfhir.sync.standing import versions_of
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Statements, Vanished

Fate = Literal["retire", "delete", "keep"]
"""What happens to a study that has vanished."""

_UNKNOWN = StudyRow(LEAVING, "", {}, {})


@dataclass(frozen=True, slots=True)
class Held:
    """What a target still holds of ours for one study.

    Args:
        study: Our ImagingStudy; someone else's is none of ours and stays as it is (D21).
        provenances: Our Provenance that still say something.
        patient: The id of our Patient, or an empty text.
        stripped: Someone else's on which something of ours stands, without it.
    """

    study: JsonObject | None
    provenances: tuple[JsonObject, ...]
    patient: str
    stripped: tuple[JsonObject, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing of ours is there."""
        return self.study is None and not self.provenances and not self.stripped


def held_of_ours(found: Found, row: StudyRow, statements: Statements) -> Held:
    """Return what of the things found is ours.

    Args:
        found: What the target holds of the study.
        row: What the journal knows of it.
        statements: Tells ours from others'.
    """
    key = statements.key_of(found.study) if found.study is not None else ""
    subject = (found.study or {}).get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    patient = statements.patient_id(key) if key else ""
    return Held(
        found.study if key else None,
        tuple(
            one
            for one in found.provenances
            if not statements.is_withdrawn(one)
            and (one["id"] in row.statements or (key and statements.is_ours(one, key)))
        ),
        patient if patient and reference == f"Patient/{patient}" else "",
        found.stripped,
    )


def plan_of(
    fate: Fate, one: Vanished, found: Found, row: StudyRow | None, statements: Statements
) -> Plan:
    """Return the writes after which a study is retired, or deleted.

    Args:
        fate: `retire` or `delete`.
        one: The study.
        found: What the target holds of it.
        row: What the journal knows of it.
        statements: Tells ours from others', and says what is left.
    """
    planned = deletion if fate == "delete" else retirement
    return planned(one, found, row, statements)


def retirement(one: Vanished, found: Found, row: StudyRow | None, statements: Statements) -> Plan:
    """Return the writes after which a study stands as retired.

    Args:
        one: The study.
        found: What the target holds of it.
        row: What the journal knows of it.
        statements: Says what is left.
    """
    row = row or _UNKNOWN
    held = held_of_ours(found, row, statements)
    kept = held.provenances if statements.outlive else ()
    stands = held.study is not None or bool(kept) or (statements.outlive and bool(held.stripped))
    delivered = {uid: "" for listed in row.sources.values() for uid in listed}
    return Plan(
        one=one,
        puts=[
            *([] if held.study is None else [statements.retired_study(held.study)]),
            *(() if statements.outlive else held.stripped),
        ],
        stale=[] if statements.outlive else list(held.provenances),
        gone="" if statements.outlive else held.patient,
        row=StudyRow(
            RETIRED if stands else DELETED,
            "",
            {each["id"]: row.statements.get(each["id"], each.get("recorded")) for each in kept},
            {DELIVERED: delivered} if delivered and held.study is not None else {},
            standing=row.standing if stands else None,
        ),
        before=_before(row),
        replaces=True,
        versions=_versions(held),
        fate="retired" if one.told and not held.is_nothing else "",
    )


def deletion(one: Vanished, found: Found, row: StudyRow | None, statements: Statements) -> Plan:
    """Return the writes after which nothing of ours is left of a study; Devices stay.

    Args:
        one: The study.
        found: What the target holds of it.
        row: What the journal knows of it.
        statements: Tells ours from others'.
    """
    row = row or _UNKNOWN
    held = held_of_ours(found, row, statements)
    # What was leaving and is nowhere was deleted by a run that did not hear of it.
    went = not held.is_nothing or row.state == LEAVING
    return Plan(
        one=one,
        puts=list(held.stripped),
        stale=list(held.provenances),
        study_goes=held.study is not None,
        gone=held.patient,
        row=StudyRow(DELETED, "", {}, {}),
        before=_before(row),
        replaces=True,
        versions=versions_of(held.stripped),
        fate="deleted" if one.told and went else "",
        instead=retirement(one, found, row, statements),
    )


def _before(row: StudyRow) -> StudyRow:
    """Return the row of a study that may or may not have gone: its source still claims it."""
    return replace(row, state=LEAVING, sha="")


def _versions(held: Held) -> dict[str, str]:
    """Return the versions that were read: what someone changes meanwhile is not overwritten."""
    return versions_of([*([held.study] if held.study else []), *held.stripped])
