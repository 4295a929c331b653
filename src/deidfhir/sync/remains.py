"""What a target still holds of studies that have vanished, against what it should hold (D20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from deidfhir.fhir.types import reference
from deidfhir.sync.journal import DELETED, RETIRED, Journal, StudyRow
from deidfhir.sync.plan import Plan
from deidfhir.sync.retiring import Fate, plan_of
from deidfhir.sync.sweep import Sweep
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Statements, Vanished


@dataclass(frozen=True, slots=True)
class Remainder:
    """One resource that is not as it should be.

    Args:
        study: The id of the ImagingStudy of its study.
        name: Its reference.
        state: `vanished` (its study is gone, and it still stands), `drifted` (it was retired or
            deleted, and is no longer) or `missing` (it was to be kept).
    """

    study: str
    name: str
    state: str


def remainders(
    find: Callable[[list[Vanished]], dict[str, Found]],
    size: int,
    journal: Journal,
    statements: Statements,
    sweep: Sweep,
) -> Iterator[Remainder]:
    """Yield what should have gone and has not, or should be there and is not.

    Args:
        find: Returns what the target holds of some studies.
        size: Of how many at a time.
        journal: The target's journal; nothing is written there.
        statements: What must be known of statements.
        sweep: Through which all work has gone.
    """
    if not sweep.is_complete or sweep.fate == "keep":
        return
    expected = dict.fromkeys(journal.in_state(RETIRED, DELETED), "drifted")
    expected |= dict.fromkeys(sweep.unfinished(), "drifted")
    expected |= dict.fromkeys(sweep.missing().vanished, "vanished")
    due = (one for one in expected if not sweep.has_seen(one))
    while ids := list(islice(due, size)):
        found = find([Vanished(one) for one in ids])
        for one in ids:
            row = journal.study(one)
            if row is not None:
                fate = _fate(row, sweep.fate)
                plan = plan_of(fate, Vanished(one), found[one], row, statements)
                names = _undone(plan, found[one])
                yield from (Remainder(one, name, expected[one]) for name in names)
                yield from (
                    Remainder(one, name, "missing") for name in _lacking(one, found[one], row)
                )


def _fate(row: StudyRow, fate: Fate) -> Fate:
    """Return what should have happened: by the tombstone, else by the site's decision."""
    by_stone: dict[str, Fate] = {RETIRED: "retire", DELETED: "delete"}
    return by_stone.get(row.state, fate)


def _undone(plan: Plan, found: Found) -> list[str]:
    """Return what a plan would still write."""
    left = plan.without_what_stands(found.by_reference())
    return [*map(reference, left.puts), *left.deletes]


def _lacking(identity: str, found: Found, row: StudyRow) -> list[str]:
    """Return what was kept of a study and is no longer there."""
    if row.state != RETIRED:
        return []
    kept = [f"Provenance/{one}" for one in row.statements]
    if row.sources:
        kept.append(f"ImagingStudy/{identity}")
    return [one for one in kept if one not in found.by_reference()]
