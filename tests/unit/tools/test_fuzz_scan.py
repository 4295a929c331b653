"""The fuzzing of the header scan: it finds what is broken, and nothing where nothing is."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from deidfhir.dicom.scan import layout, meta, prefix, root, slots, values
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.items import Items
from deidfhir.dicom.scan.layout import Step
from deidfhir.dicom.scan.root import Root
from tests.synthetic.objects import element, encode, instance
from tests.synthetic.studies import STUDIES
from tools.fuzz.__main__ import again, main
from tools.fuzz.edits import EDITS, Edit
from tools.fuzz.lines import possible, reached
from tools.fuzz.mutator import Mutator
from tools.fuzz.oracle import Difference, Oracle, save
from tools.fuzz.page import MOST_MB, Outcome, page
from tools.fuzz.shapes import shape_of
from tools.fuzz.states import leave

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
SEEDS = [
    encode(next(made()), syntax, undefined_length=delimited)
    for made in STUDIES.values()
    for syntax in SYNTAXES
    for delimited in (False, True)
]
ENOUGH = 4000
"""Executions within which what is broken must be found, unguided."""

COUNTS = {"executions": 1000, "scanned": 400, "remembered": 200, "left": 600, "compared": 475}
RESULT: dict[str, Any] = COUNTS | {
    "skipped": 40,
    "differences": {},
    "seconds": 10.0,
    "slowest": {"scan": 0.01, "pydicom": 0.02},
    "begin_mb": 80,
    "peak_mb": 120,
}


@pytest.fixture(autouse=True)
def own_memory() -> Iterator[None]:
    """Give back what the scan remembered before the test."""
    yield
    leave()


def spoilt(seed: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield files that are spoilt, and what they were made of, without end."""
    mutator, rng = Mutator(SEEDS), Random(seed)
    for number in count(seed * 1_000_000):
        origin = rng.choice(SEEDS)
        data = mutator.spoil(origin, 100_000, number)
        yield data, origin
        yield mutator.spoil(data, 100_000, number), origin


def executions_until_found(folder: Path) -> int:
    """Return after how many inputs a difference is found."""
    oracle = Oracle(folder, SEEDS)
    for number, (data, origin) in enumerate(islice(spoilt(1), ENOUGH)):
        if oracle.check(data, origin) is not None:
            return number + 1
    raise AssertionError


def drop_a_value(patch: pytest.MonkeyPatch) -> None:
    whole = values.decoded
    patch.setattr(slots, "decoded", lambda *given: whole(*given)[:1])


def take_elements_in_any_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Root, "_end", lambda self, *_: setattr(self, "passed", True))


def take_items_for_text(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "ITEM_TAGS", (b"never",))


def take_any_vr(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(root, "require_vr", lambda *_: None)


def take_any_beginning(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(meta, "_is_first", lambda *_: True)


def take_other_characters(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "_CODECS", dict.fromkeys(values._CODECS, "iso8859-1"))


def forget_that_the_file_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prefix, "header_of", lambda data, **_: header_of(data, whole=True))


def fail(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Items, "_passed", lambda *_: 1 // 0)


def compare_no_tags(patch: pytest.MonkeyPatch) -> None:
    made = layout._step

    def step(*given: Any) -> Step:  # noqa: ANN401
        one = made(*given)
        return one._replace(data=one.data[:-4])

    patch.setattr(layout, "_step", step)


BREAKS = (
    *(drop_a_value, take_elements_in_any_order, take_items_for_text, take_any_vr),
    *(take_any_beginning, take_other_characters, forget_that_the_file_goes_on, fail),
    compare_no_tags,
)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.__name__)
def test_a_scan_that_is_broken_is_found_out(
    broken: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    assert executions_until_found(tmp_path) < ENOUGH


def test_a_scan_that_is_not_broken_is_not_found_out(tmp_path: Path) -> None:
    oracle = Oracle(tmp_path, SEEDS)
    found = [oracle.check(data, origin) for data, origin in islice(spoilt(2), 500)]
    counts = oracle.tally.counts
    assert found == [None] * 500
    assert counts["executions"] == 500 == counts["scanned"] + counts["left"]
    assert counts["scanned"] > 100
    assert counts["remembered"] > 50


def test_a_deflated_file_may_be_cut_behind_its_header_and_nowhere_else(tmp_path: Path) -> None:
    whole = next(one for one in SEEDS if shape_of(one).deflated)
    oracle = Oracle(tmp_path, SEEDS)
    cut = [whole[:length] for length in range(132, len(whole))]
    assert [oracle.check(data, whole) for data in cut] == [None] * len(cut)
    assert 0 < oracle.tally.counts["scanned"] < len(cut) / 2


def test_a_deflated_file_may_be_damaged_behind_its_header(tmp_path: Path) -> None:
    made = instance()
    made.add(element("PixelData", "OW", Random(1).randbytes(60_000)))
    whole = encode(made, DeflatedExplicitVRLittleEndian)
    oracle = Oracle(tmp_path, SEEDS)
    for place in range(400, len(whole), 4999):
        spoilt = whole[:place] + bytes(99) + whole[place + 99 :]
        assert oracle.check(spoilt, whole) is None
    assert oracle.tally.counts["scanned"] > 5


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="no atheris here")
def test_a_short_guided_run_finds_no_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--seconds", "60", "--executions", "1000", "--seed", "3", "--folder", str(tmp_path)]
    assert main(given) == 0
    told = capsys.readouterr().out
    assert "| executions | 1,000 in" in told
    assert "| differences | 0 |" in told
    assert list((tmp_path / "3" / "corpus").iterdir())


def test_a_difference_is_written_with_all_that_it_takes_to_see_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for way, before in (("alone", ()), ("beside", (SEEDS[0], SEEDS[0])), ("lasting", (SEEDS[1],))):
        found = save(Difference(way, "", before, SEEDS[0]), tmp_path / way)
        assert again(found) == 0
        with monkeypatch.context() as patch:
            drop_a_value(patch)
            assert again(found) == 1
        assert "ImageType: ('DERIVED',), pydicom:" in capsys.readouterr().out


@pytest.mark.parametrize("edit", dict.fromkeys(EDITS), ids=lambda one: one.__name__)
def test_an_edit_spoils_every_file_and_what_is_left_of_it(edit: Edit) -> None:
    changed = 0
    for number, seed in enumerate(SEEDS):
        data, rng = seed, Random(number)
        for _ in range(20):
            pieces = shape_of(data).pieces
            before, data = data, edit(data, pieces, rng) if pieces else seed
            changed += data != before
    assert changed > 10 * len(SEEDS)


def test_what_is_spoilt_is_spoilt_further_and_by_the_same_seed_in_the_same_way() -> None:
    first, again, other = (list(islice(spoilt(seed), 300)) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    mutator, data = Mutator(SEEDS), SEEDS[0]
    seen = {data}
    for number in range(300):
        data = mutator.spoil(data, 10_000, number)
        seen.add(data)
        assert len(data) <= 10_000
    assert len(seen) > 200
    assert mutator.spoil(b"", 100, 1)
    assert len(mutator.cross(SEEDS[0], SEEDS[1], 300, 1)) == 300


def test_the_lines_that_are_reached_are_lines_that_can_be_reached(tmp_path: Path) -> None:
    every = possible()
    few = reached(SEEDS[:1], Oracle(tmp_path, SEEDS).check)
    more = reached(SEEDS, Oracle(tmp_path, SEEDS).check)
    assert few.lines < more.lines < every
    assert len(few.lines) > len(every) / 3
    assert few.steps < more.steps


def test_the_page_tells_what_was_reached_and_what_is_wrong() -> None:
    outcome = Outcome(RESULT, [(500, 2000), (600, 3000)], 70, (300, 350, 360), (400, 600))
    outcome.missed = [("root.py", 12)]
    said = {"command": "make fuzz", "day": "2026-01-31", "versions": "X 1", "seeds": "none"}
    text = page(outcome, 1, **said)
    for row in (
        "| executions | 1,000 in 0.2 minutes, 100 a second |",
        "| read by the scan alone | 400 (40 %) |",
        "| edges that guide | 500 by the seeds, 600 at the end |",
        "| lines of the scan | 300 by the seeds, 350 at the end, of 360 |",
        "| peak memory | 120 MB, 40 MB more than at the beginning |",
        "Lines of the scan that were not reached: `root.py` 12.",
    ):
        assert row in text
    assert outcome.wrong == []
    bloated = RESULT | {"peak_mb": 81 + MOST_MB, "differences": {"alone evidence": 2}}
    assert Outcome(bloated).wrong == ["2: alone evidence", f"memory grew by {1 + MOST_MB} MB"]
