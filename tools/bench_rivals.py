"""How fast other readers and converters are over the same files, where they install.

Each rival has an environment and a process of its own (`tools/rivals`), and its turn in each round
beside the floor. What it delivers is counted in a turn that is not timed: a reader that leaves out
most of a header is fast. Ratios of one run survive a noisy machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deidfhir.dicom.scan.prefix import opened
from deidfhir.model.attributes import attributes
from tools.bench_corpus import make
from tools.bench_read import floor
from tools.rivals.child import Child
from tools.rivals.home import AbsentError, settled
from tools.rivals.listed import RIVALS, STUDY, Rival
from tools.rivals.turns import delivered

HOMES = Path("build/rivals")
_HEAD = (
    "version",
    "microseconds an instance, median (least)",
    "of the floor",
    "read",
    "failed",
    "values (in items)",
    "leaves out",
)
_PLACES = ("object", "code item", "equipment item", "scheme item", "udi item")


@dataclass(frozen=True, slots=True)
class Values:
    """How many values a header gave, in the mean.

    Args:
        top: At its top level.
        nested: In items of its sequences.
    """

    top: float = 0
    nested: float = 0


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of a rival.

    Args:
        rival: Which.
        micro: Microseconds an instance, round by round.
        ratios: The same as multiples of the floor, round by round.
        read: Files that it read; for a study, the instances that its answer lists.
        failed: Files that it did not.
        fault: What it said of the first of those.
        values: What it delivers of a file that it reads; nothing is counted for a study.
        wanted: What the scan delivers of the same files.
        python: The version of Python that it ran on.
        reason: Why it was not measured; empty if it was.
    """

    rival: Rival
    micro: tuple[float, ...] = ()
    ratios: tuple[float, ...] = ()
    read: int = 0
    failed: int = 0
    fault: str = ""
    values: Values = Values()
    wanted: Values = Values()
    python: str = ""
    reason: str = ""


@dataclass(slots=True)
class _Run:
    """A rival between its start and its row."""

    rival: Rival
    child: Child | None = None
    first: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    reason: str = ""

    def start(self, homes: Path, asked: Path, stack: ExitStack) -> None:
        """Make its environment, start it, and have its turn that is not timed."""
        rival = self.rival
        log = asked.with_name(f"{rival.name}.log")
        try:
            python = settled(rival.needs, homes)
            self.child = stack.enter_context(Child(python, rival.script, rival.way, asked, log))
            self.first = self.child.answer()
        except AbsentError as error:
            self.child, self.reason = None, str(error)

    def turn(self) -> None:
        """Have its turn, unless it is not there."""
        if self.child is None:
            return
        try:
            self.last = self.child.turn()
        except AbsentError as error:
            self.child, self.reason = None, str(error)
        else:
            self.seconds.append(self.last["seconds"])

    def row(self, floors: list[float], count: int, wanted: Values) -> Row:
        """Return what was measured."""
        if self.child is None:
            return Row(self.rival, wanted=wanted, reason=self.reason)
        read = max(1, self.first["read"])
        pairs = zip(self.seconds, floors, strict=True)
        return Row(
            self.rival,
            tuple(1e6 * one / count for one in self.seconds),
            tuple(one / beside for one, beside in pairs),
            self.last["read"],
            self.last["failed"],
            self.last["fault"],
            Values(self.first.get("values", 0) / read, self.first.get("nested", 0) / read),
            wanted,
            self.first["python"],
        )


def measured(
    paths: list[str], folder: Path, rounds: int, rivals: Iterable[Rival] = RIVALS
) -> list[Row]:
    """Measure every rival, in rounds in each of which all have their turn.

    Args:
        paths: The files, as `bench_corpus` lays them: a folder a series in one a study.
        folder: Where the rivals' environments stand, and are made.
        rounds: How often each has its turn; at least one.
        rivals: Which.
    """
    runs = [_Run(rival) for rival in rivals]
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        asked = Path(made) / "asked.json"
        asked.write_text(json.dumps(_asked(paths)))
        for run in runs:
            run.start(folder.resolve(), asked, stack)
        floors = [_round(runs, paths) for _ in range(rounds)]
    wanted = _wanted(paths)
    return [run.row(floors, len(paths), wanted) for run in runs]


def _round(runs: list[_Run], paths: list[str]) -> float:
    """Give each its turn; return the seconds of the floor, the median of one before each turn."""
    seconds = []
    for run in runs:
        begun = time.perf_counter()
        for path in paths:
            floor(path)
        seconds.append(time.perf_counter() - begun)
        run.turn()
    return statistics.median(seconds)


def _asked(paths: list[str]) -> dict[str, object]:
    places = {place: [asdict(one) for one in attributes(place).values()] for place in _PLACES}
    folders = sorted({str(Path(one).parents[1]) for one in paths})
    return {"paths": paths, "folders": folders, "places": places}


def _wanted(paths: list[str]) -> Values:
    """Return what the scan delivers."""
    keywords = frozenset(one.keyword for one in attributes("object").values())
    found = [header.elements for one in paths if (header := opened(one).header)]
    counts = [delivered(one, keywords) for one in found] or [(0, 0)]
    return Values(statistics.mean(top for top, _ in counts), statistics.mean(n for _, n in counts))


def told(rows: list[Row]) -> list[str]:
    """Return the table of readers, and that of converters.

    Args:
        rows: What was measured.
    """
    tables = (
        ("reader, header → values", [row for row in rows if row.rival.way != STUDY]),
        ("converter, a study's folder → FHIR", [row for row in rows if row.rival.way == STUDY]),
    )
    lines: list[str] = []
    for title, members in tables:
        if not members:
            continue
        if lines:
            lines.append("")
        lines += [
            f"| {title} | {' | '.join(_HEAD)} |",
            "|---" * (1 + len(_HEAD)) + "|",
        ]
        lines += [_line(row) for row in members]
    return lines


def _line(row: Row) -> str:
    rival = row.rival
    if row.reason:
        cells = [rival.name, rival.version, "not measured", "", "", "", "", row.reason]
    else:
        running = f"{sys.version_info[0]}.{sys.version_info[1]}."
        other = "" if row.python.startswith(running) else f" (Python {row.python})"
        failed = f"{row.failed}: {row.fault}" if row.failed else "0"
        cells = [
            rival.name,
            rival.version + other,
            f"{statistics.median(row.micro):.1f} ({min(row.micro):.1f})",
            f"{statistics.median(row.ratios):.3g}",
            str(row.read),
            failed,
            "" if rival.way == STUDY else _values(row),
            rival.leaves_out,
        ]
    return "| " + " | ".join(one.replace("|", "\\|") for one in cells) + " |"


def _values(row: Row) -> str:
    top = f"{row.values.top:.3g} of {row.wanted.top:.3g}"
    return f"{top} ({row.values.nested:.3g} of {row.wanted.nested:.3g})"


def main(arguments: list[str]) -> int:
    """Make a corpus, measure, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_rivals", description=__doc__)
    parser.add_argument("--studies", type=int, default=4, help="of 200 instances each (4)")
    parser.add_argument("--rounds", type=int, default=5, help="of each rival (5)")
    parser.add_argument("--pixels", type=int, default=16_384, help="bytes in each (16384)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.studies, options.pixels)
        paths = sorted(str(one) for one in Path(folder).rglob("*.dcm"))
        print("\n".join(told(measured(paths, HOMES, options.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
