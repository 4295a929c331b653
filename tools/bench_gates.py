"""What is measured beside what, and what each ratio must be (issue of archive speed).

Ratios of one run, in which each way has its turn, survive a noisy machine; absolute numbers do not.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gate:
    """What a ratio must be.

    Args:
        way: The way that is measured.
        beside: The way that it is measured against.
        must: The most that the ratio may be; of one that should be large, the least.
        aim: The same, as it should be.
    """

    way: str
    beside: str
    must: float
    aim: float

    @property
    def is_least(self) -> bool:
        """Whether the ratio should be large."""
        return self.aim > self.must

    def meets(self, ratio: float, limit: float) -> bool:
        """Whether a ratio keeps to a limit."""
        return ratio >= limit if self.is_least else ratio <= limit


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files that are measured over.

    Args:
        folder: Where they are.
        paths: All of them, sorted.
        some: The first studies of them, for ways that are slow.
    """

    folder: Path
    paths: tuple[str, ...]
    some: tuple[str, ...]


Way = Callable[[], int]
"""Does something with some files, and returns with how many."""

Seconds = dict[str, list[float]]
"""Way → seconds a file, round by round."""


def ratio_of(found: Mapping[str, list[float]], gate: Gate) -> float:
    """Return the median of a ratio's rounds."""
    pairs = zip(found[gate.way], found[gate.beside], strict=True)
    return statistics.median(one / other for one, other in pairs)


def missed(found: Mapping[str, list[float]], gates: Iterable[Gate]) -> list[Gate]:
    """Return the gates whose ratio is not as it must be."""
    return [one for one in gates if not one.meets(ratio_of(found, one), one.must)]


def told_ways(found: Seconds) -> list[str]:
    """Return the table of ways.

    Args:
        found: What was measured.
    """
    rows = ["| way | microseconds a file, median (least) |", "|---|---|"]
    for name, seconds in found.items():
        micro = [1e6 * one for one in seconds]
        rows.append(f"| {name} | {statistics.median(micro):.1f} ({min(micro):.1f}) |")
    return rows


def told_ratios(found: Seconds, gates: Iterable[Gate]) -> list[str]:
    """Return the table of ratios.

    Args:
        found: What was measured.
        gates: What the ratios must be.
    """
    rows = ["| ratio | median of the rounds | must | aim |", "|---|---|---|---|"]
    for one in gates:
        ratio = ratio_of(found, one)
        must, aim = (
            f"{_fraction(limit)}: {'met' if one.meets(ratio, limit) else 'missed'}"
            for limit in (one.must, one.aim)
        )
        rows.append(f"| {one.way} ÷ {one.beside} | {_fraction(ratio)} | {must} | {aim} |")
    return rows


def _fraction(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio >= 0.3 else f"1/{1 / ratio:.3g}"
