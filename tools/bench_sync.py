"""How fast the sync client is beside a loader that does nothing but post: `make bench-sync`.

Both put the same studies (an ImagingStudy of ten instances and its Provenance) on the same real
server, in turn, each time under ids that the server has not seen. The best way of the bare loader
is found in a pass of its own; the client chooses its own.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import get_args

import requests

from deidfhir.sync.standing import Mode
from deidfhir.sync.unit import Unit
from tests.hapi import postgres
from tests.hapi.server import Database, HapiServer
from tools.bench_loads import RESOURCES, Cell, bare, fresh, synced, template

PAGE = Path("docs/bench-sync.md")
PLAIN = Cell(1, 1)
GRID = [Cell(studies, connections) for studies in (1, 10, 25) for connections in (1, 2, 4, 8)]
SHORT = [PLAIN, Cell(10, 2), Cell(25, 4)]
_HEAD = """\
# The sync client beside a bare loader

Made by `{command}` on {day}: {cores} cores ({machine}), Python {python}; {servers}.
Client, server and database share the machine.

Each load puts studies that the server has not seen, an ImagingStudy of ten instances and a Provenance each: {studies}.
The bare loader posts transactions that were made beforehand and looks at nothing but the HTTP status; the client
looks up, journals and checks, from FHIR resources on, and chooses for itself how many studies go in a transaction and on
how many connections. Medians (least to most) of {rounds} rounds, in each of which every load has its turn; the bare loader's
best cell (studies a transaction x connections) was chosen in a pass of its own. Ratios hold elsewhere; absolute numbers do not,
and a server that has filled since (H2 in memory is slower with all that it holds) is not that of the pass before.
"""  # noqa: E501 - lines of a page
STUDIES: dict[Database, int] = {"h2": 600, "postgres": 3000}
"""So many a load: H2 is in memory, and slower with each that it holds."""

Load = Callable[[str, list[Unit]], float]
CLIENT: dict[str, tuple[Load, float]] = {
    "sync": (partial(synced, mode=Mode.LINK), 0.8),
    "sync --existing own": (partial(synced, mode=Mode.OWN), 0.9),
}
"""Each form of the client with the share of the best cell that it must reach.

A form with other options of the job is `partial(synced, option=…)`.
"""


@dataclass(slots=True)
class Measured:
    """What was measured on one server.

    Args:
        database: Its database, with version.
        server: Its software, with version.
        studies: How many a load put.
        grid: Cell → resources a second, in the pass that finds the best.
        rates: Load → resources a second, round by round.
    """

    database: str
    server: str
    studies: int
    grid: dict[Cell, float] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)

    @property
    def best(self) -> Cell:
        """The fastest cell."""
        return max(self.grid, key=lambda one: self.grid[one])

    def median(self, name: str) -> float:
        """Return the median of a load."""
        return statistics.median(self.rates[name])


def measure(database: Database, studies: int, rounds: int, grid: list[Cell]) -> Measured:
    """Measure on a server of its own.

    Args:
        database: `h2` or `postgres`.
        studies: How many a load puts.
        rounds: How often each load is measured.
        grid: The ways of the bare loader.
    """
    one = template()

    def rate(load: Load) -> float:
        units = fresh(one, studies)
        # What a load is made of was made beforehand: to look for garbage in it is no part of it.
        gc.collect()
        gc.freeze()
        try:
            return RESOURCES * studies / load(server.base_url, units)
        finally:
            gc.unfreeze()

    with HapiServer("R4", database) as server:
        server.warm_up()
        found = Measured(_database(database), _software(server.base_url), studies)
        rate(_bare(grid[-1]))  # what is slow only at first
        for cell in grid:
            found.grid[cell] = rate(_bare(cell))
            _say(f"{database}: bare {cell}: {found.grid[cell]:.0f} resources/s")
        loads = {"best": _bare(found.best), "plain": _bare(PLAIN)}
        loads |= {name: load for name, (load, _) in CLIENT.items()}
        for number in range(rounds):
            names = list(loads)
            # Each has each place in turn: what came before may still be at work.
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                found.rates.setdefault(name, []).append(rate(loads[name]))
                told = found.rates[name][-1]
                _say(f"{database}: round {number + 1}: {name}: {told:.0f} resources/s")
    return found


def _bare(cell: Cell) -> Load:
    return lambda url, units: bare(url, units, cell)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _database(database: Database) -> str:
    if database == "h2":
        (jar,) = Path("tests/hapi/target").glob("lib*/h2-*.jar")
        return f"H2 {jar.stem.removeprefix('h2-')} (in memory)"
    return f"PostgreSQL {postgres.version()}"


def _software(url: str) -> str:
    software = requests.get(f"{url}/metadata", timeout=60).json()["software"]
    return f"{software['name']} {software['version']}"


def page(every: list[Measured], command: str, *, rounds: int, day: str) -> str:
    """Return the page of the results.

    Args:
        every: What was measured, a server each.
        command: What was typed.
        rounds: How often each load was measured.
        day: The date.
    """
    told = {
        "command": command,
        "day": day,
        "studies": ", ".join(f"{one.studies} on {one.database.split()[0]}" for one in every),
        "rounds": rounds,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "servers": "; ".join(f"{one.server} on {one.database}" for one in every),
    }
    lines = [_HEAD.format_map(told)]
    for one in every:
        lines += [f"## {one.database}", "", *_table(one), "", *_grid(one), ""]
    return "\n".join(lines)


def _table(found: Measured) -> list[str]:
    best, plain = found.median("best"), found.median("plain")
    names = {"best": f"bare, best cell ({found.best})", "plain": f"bare, {PLAIN}"}
    rows = [
        "| load | resources/s | of the best cell | must | of the plain cell | must |",
        "|---|---|---|---|---|---|",
    ]
    for name, rates in found.rates.items():
        median = found.median(name)
        must = CLIENT[name][1] if name in CLIENT else 0.0
        rows.append(
            f"| {names.get(name, f'`deidfhir {name}`')} "
            f"| {median:.0f} ({min(rates):.0f} to {max(rates):.0f}) "
            f"| {median / best:.2f} | {_judged(median / best, must)} "
            f"| {median / plain:.2f} | {_judged(median / plain, 2.0 if must else 0.0)} |"
        )
    return rows


def _judged(ratio: float, must: float) -> str:
    return "" if not must else f"{must}: {'met' if ratio >= must else 'missed'}"


def _grid(found: Measured) -> list[str]:
    connections = sorted({cell.connections for cell in found.grid})
    rows = [
        "The bare loader's grid, resources/s, one pass:",
        "",
        f"| studies a transaction | {' | '.join(f'{one} connections' for one in connections)} |",
        "|---" * (len(connections) + 1) + "|",
    ]
    for studies in sorted({cell.studies for cell in found.grid}):
        rates = [found.grid.get(Cell(studies, one)) for one in connections]
        told = ["" if rate is None else f"{rate:.0f}" for rate in rates]
        rows.append(f"| {studies} | {' | '.join(told)} |")
    return rows


def main(arguments: list[str]) -> int:
    """Measure, print the page and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_sync", description=__doc__)
    parser.add_argument("--studies", type=int, help=f"a load ({STUDIES})")
    parser.add_argument("--rounds", type=int, default=5, help="of each load (5)")
    parser.add_argument(
        "--database", action="append", choices=get_args(Database), help="h2, postgres (both)"
    )
    parser.add_argument("--short", action="store_true", help="100 studies, 1 round, 3 cells")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    options = parser.parse_args(arguments)
    studies, rounds = (100, 1) if options.short else (options.studies, options.rounds)
    databases = options.database or list(get_args(Database))
    begun = time.monotonic()
    grid = SHORT if options.short else GRID
    every = [measure(one, studies or STUDIES[one], rounds, grid) for one in databases]
    _say(f"took {time.monotonic() - begun:.0f} s")
    typed = " ".join([parser.prog, *arguments])
    command = "make bench-sync" if arguments == ["--write"] else typed
    today = datetime.now(UTC).date().isoformat()
    text = page(every, command, rounds=rounds, day=today)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
