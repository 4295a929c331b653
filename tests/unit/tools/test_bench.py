"""The bench of the sync: what it puts is new each time, and its page says what was reached."""

from __future__ import annotations

import json
from typing import Any

from deidfhir.sync.unit import Unit
from tools.bench_loads import Cell, fresh, template
from tools.bench_sync import Measured, page


def words(units: list[Unit]) -> set[str]:
    """Return every id and UID."""
    found: set[str] = set()
    for one in units:
        found |= {each["id"] for each in one.own} | set(one.instances) | {one.key}
    return found


def test_every_copy_is_new_and_refers_to_itself() -> None:
    one = template()
    assert [each["resourceType"] for each in one.own] == ["ImagingStudy", "Provenance"]
    first, second = fresh(one, 3), fresh(one, 3)
    assert len(words(first) | words(second)) == 6 * (2 + 10 + 1)
    for unit in first:
        (provenance,) = unit.provenances
        assert [each["reference"] for each in provenance["target"]] == [f"ImagingStudy/{unit.id}"]
        (series,) = unit.study["series"]
        assert {each["uid"] for each in series["instance"]} == set(unit.instances)
        assert unit.study["identifier"][0]["value"] == f"urn:oid:{unit.key}"
        assert len(json.dumps(unit.study)) > 1000


def told(**rates: float) -> list[str]:
    """Return the table's rows of some rates."""
    found = Measured("H2", "HAPI", 1, {Cell(1, 1): 100.0, Cell(10, 2): 400.0})
    found.rates = {name: [rate - 10, rate, rate + 20] for name, rate in rates.items()}
    text = page([found], "make bench-sync", rounds=3, day="2026-01-31")
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_page_tells_medians_ratios_and_what_is_met() -> None:
    rows: Any = told(best=400.0, plain=100.0, sync=340.0)
    assert rows[2:5] == [
        "| bare, best cell (10 x 2) | 400 (390 to 420) | 1.00 |  | 4.00 |  |",
        "| bare, 1 x 1 | 100 (90 to 120) | 0.25 |  | 1.00 |  |",
        "| `deidfhir sync` | 340 (330 to 360) | 0.85 | 0.8: met | 3.40 | 2.0: met |",
    ]
    assert rows[-2:] == ["| 1 | 100 |  |", "| 10 |  | 400 |"]
    assert "0.8: missed | 1.50 | 2.0: missed" in told(best=400.0, plain=100.0, sync=150.0)[4]
