"""What a measurement of reading says of its ratios."""

from __future__ import annotations

from pathlib import Path

from deidfhir.dicom.scan.prefix import opened
from tools.bench_corpus import make
from tools.bench_read import GATES, WAYS, measure, ratio_of, told


def test_the_corpus_is_scanned_to_the_last_file_and_each_is_measured(tmp_path: Path) -> None:
    assert make(tmp_path, 1, pixels=64) == 200
    paths = sorted(tmp_path.rglob("*.dcm"))
    assert all(opened(str(path)).header is not None for path in paths)
    found = measure([str(path) for path in paths[:4]], 2)
    assert found.keys() == WAYS.keys()
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in found.values())


def test_a_ratio_is_the_median_of_its_rounds_and_told_as_met_or_missed() -> None:
    found = {"read 8 KB": [1e-6, 1e-6, 2e-6], "scan": [11e-6, 13e-6, 14e-6], "pydicom": [1e-4] * 3}
    floor, peer = GATES
    assert ratio_of(found, floor) == 11
    rows = told(found)
    assert "| scan | 13.0 (11.0) |" in rows
    assert rows[-2] == "| scan / read 8 KB | 11 | 12: met | 6 |"
    assert rows[-1] == "| scan / pydicom | 0.13 | 0.0667: missed | 0.0333 |"
    assert peer.beside == "pydicom"
