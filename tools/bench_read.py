"""How fast headers are read, beside the floor and beside pydicom: `make bench`.

Ratios of one run, in which each way has its turn over the same files: they survive a noisy machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import dcmread

from deidfhir.dicom.scan.prefix import opened
from deidfhir.model.attributes import attributes
from tools.bench_corpus import make

Way = Callable[[str], object]
_FLOOR_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Gate:
    """What a ratio must be.

    Args:
        way: The way that is measured.
        beside: The way that it is measured against.
        must: The most that the ratio may be.
        aim: The most that it should be.
    """

    way: str
    beside: str
    must: float
    aim: float


GATES = (Gate("scan", "read 8 KB", 12, 6), Gate("scan", "pydicom", 1 / 15, 1 / 30))


def floor(path: str) -> None:
    """Read the first bytes of a file, and do nothing with them."""
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, _FLOOR_BYTES)
    os.close(descriptor)


def by_pydicom(path: str) -> list[object]:
    """Read a header as programs do that use pydicom alone: all of it, then by keyword."""
    dataset = dcmread(path, stop_before_pixels=True)
    return [dataset.get(one.keyword) for one in attributes("object").values()]


def scan(path: str) -> object:
    """Read a header as a run does; what the scan leaves alone would cost what pydicom costs."""
    return opened(path)


WAYS: dict[str, Way] = {"read 8 KB": floor, "scan": scan, "pydicom": by_pydicom}


def measure(paths: list[str], rounds: int) -> dict[str, list[float]]:
    """Return the seconds a file of each way, round by round.

    Args:
        paths: The files, in their order.
        rounds: How often each way has its turn.
    """
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            begun = time.perf_counter()
            for path in paths:
                way(path)
            found[name].append((time.perf_counter() - begun) / len(paths))
    return found


def told(found: dict[str, list[float]]) -> list[str]:
    """Return the table of ways, and that of ratios.

    Args:
        found: Way → seconds a file, round by round.
    """
    rows = ["| way | microseconds a file, median (least) |", "|---|---|"]
    for name, seconds in found.items():
        micro = [1e6 * one for one in seconds]
        rows.append(f"| {name} | {statistics.median(micro):.1f} ({min(micro):.1f}) |")
    rows += ["", "| ratio | median of the rounds | must | aim |", "|---|---|---|---|"]
    for gate in GATES:
        ratio = ratio_of(found, gate)
        state = "met" if ratio <= gate.must else "missed"
        name = f"{gate.way} / {gate.beside}"
        rows.append(f"| {name} | {ratio:.3g} | {gate.must:.3g}: {state} | {gate.aim:.3g} |")
    return rows


def ratio_of(found: dict[str, list[float]], gate: Gate) -> float:
    """Return the median of a ratio's rounds."""
    pairs = zip(found[gate.way], found[gate.beside], strict=True)
    return statistics.median(one / other for one, other in pairs)


def main(arguments: list[str]) -> int:
    """Make a corpus, measure, print the tables; fail where a ratio is missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_read", description=__doc__)
    parser.add_argument("--studies", type=int, default=10, help="of 200 instances each (10)")
    parser.add_argument("--rounds", type=int, default=7, help="of each way (7)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        count = make(Path(folder), options.studies)
        paths = sorted(str(one) for one in Path(folder).rglob("*.dcm"))
        left = sum(opened(one).header is None for one in paths)
        found = measure(paths, options.rounds)
    print(f"{count} files, {left} left to pydicom {pydicom.__version__}\n")
    print("\n".join(told(found)))
    return int(any(ratio_of(found, gate) > gate.must for gate in GATES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
