"""What a measurement says of its ways and ratios."""

from __future__ import annotations

from pathlib import Path

from deidfhir.dicom.scan.prefix import opened
from tools.bench import corpus_of, measure
from tools.bench_gates import Gate, missed, ratio_of, told_ratios, told_ways
from tools.bench_large import GATES as LARGE
from tools.bench_read import GATES, reading_ways


def test_the_corpus_is_scanned_to_the_last_file_and_each_is_measured(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, 1, pixels=64)
    assert len(corpus.paths) == 200
    assert all(opened(path).header is not None for path in corpus.paths)
    ways = reading_ways(corpus)
    found = measure(ways, 2)
    assert found.keys() == ways.keys()
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in found.values())


def test_a_ratio_is_the_median_of_its_rounds_and_told_as_met_or_missed() -> None:
    found = {"read 8 KB": [1e-6, 1e-6, 2e-6], "scan": [11e-6, 13e-6, 14e-6], "pydicom": [1e-4] * 3}
    floor, peer = GATES
    assert ratio_of(found, floor) == 11
    assert missed(found, GATES) == [peer]
    assert "| scan | 13.0 (11.0) |" in told_ways(found)
    assert told_ratios(found, GATES)[-2:] == [
        "| scan ÷ read 8 KB | 11 | 12: met | 6: missed |",
        "| scan ÷ pydicom | 1/7.69 | 1/15: missed | 1/30: missed |",
    ]


def test_two_processes_must_be_faster_by_at_least_so_much() -> None:
    gate: Gate = LARGE[0]
    assert missed({gate.way: [1.8], gate.beside: [1.0]}, [gate]) == []
    assert missed({gate.way: [1.6], gate.beside: [1.0]}, [gate]) == [gate]
