"""The run itself, in a process of its own: the fuzzer's engine never gives the process back.

Started by `tools.fuzz`; the folder that it is given has `seeds` and gets `corpus`, `result.json`
and a folder for each difference.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import atheris

from tools.fuzz.mutator import Mutator
from tools.fuzz.neighbours import can_be_walked
from tools.fuzz.oracle import Difference, Oracle, save
from tools.fuzz.seeds import LARGEST

_GUIDES = (
    *("deidfhir.dicom.dataset", "deidfhir.dicom.fallback"),
    *("pydicom.charset", "pydicom.filereader", "pydicom.fileutil", "pydicom.values"),
)
"""Beside the scan: where pydicom's ways part, the scan must part too, or give up."""

_HANGS, _BLOATED = 20, 4096
"""Seconds and MB after which the engine ends the process."""

_BACK = 9
"""Of ten inputs that the scan left alone, so many are not spoilt further."""

_EACH, _MOST = 2, 40
"""So many differences that look alike are written, and so many at all."""


class Run:
    """One run.

    Args:
        folder: Where its files are.
        seconds: How long it takes.
        executions: How many inputs it takes at most; 0 for no end.
    """

    def __init__(self, folder: Path, seconds: float, executions: int) -> None:
        self._folder, self._executions = folder, executions
        seeds = [one.read_bytes() for one in sorted((folder / "seeds").iterdir())]
        # The engine is looked up when it is used: at first it only refuses.
        self._mutator = Mutator(seeds, lambda data, most: bytes(atheris.Mutate(data, most)))
        self._oracle = Oracle(folder, seeds)
        self._made, self._origin = b"", b""
        self._alike: Counter[str] = Counter()
        self._begun, self._seconds = time.monotonic(), seconds
        self._peak = 0

    def one(self, data: bytes) -> None:
        """Check one input, and end the process when it is time."""
        origin = self._origin if data == self._made else None
        found = self._oracle.check(data, origin)
        if found is not None:
            self._write(found)
        taken = time.monotonic() - self._begun
        count = self._oracle.tally.counts["executions"]
        if taken > self._seconds or count == self._executions or self._alike.total() >= _MOST:
            self._end(taken)

    def spoil(self, data: bytes, most: int, seed: int) -> bytes:
        """Make an input of one that is known; many follow each other before the next known one."""
        self._peak = self._peak or _peak()
        self._made = self._mutator.spoil(self._base(data, seed), most, seed)
        return self._made

    def cross(self, data: bytes, other: bytes, most: int, seed: int) -> bytes:
        """Make an input of two that are known."""
        self._made = self._mutator.cross(self._base(data, seed), other, most, seed)
        return self._made

    def _base(self, data: bytes, seed: int) -> bytes:
        """Return what is spoilt: seldom what the scan leaves alone, which shows no difference."""
        if can_be_walked(data):
            self._origin = data
        return self._origin if self._origin and seed % 10 < _BACK else data

    def _write(self, found: Difference) -> None:
        """Write what shows a difference; of those that look alike, only the first ones."""
        looks = " ".join([found.way, *(one.split(":")[0] for one in found.what.split("; "))])
        self._alike[looks] += 1
        if self._alike[looks] <= _EACH:
            save(found, self._folder / f"difference-{self._alike.total():03}")

    def _end(self, taken: float) -> None:
        tally = self._oracle.tally
        result = {
            **{name: tally.counts[name] for name in _COUNTS},
            "differences": dict(self._alike),
            "seconds": taken,
            "slowest": tally.slowest,
            "begin_mb": self._peak or _peak(),
            "peak_mb": _peak(),
        }
        text = json.dumps(result, indent=1)
        (self._folder / "result.json").write_text(text, encoding="utf-8")
        sys.stderr.flush()
        os._exit(0)


_COUNTS = ("executions", "scanned", "remembered", "left", "compared", "skipped")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _guide() -> None:
    """Let the engine see which ways are taken in what guides it."""
    folder = importlib.import_module("deidfhir.dicom.scan").__path__[0]
    names = [f"deidfhir.dicom.scan.{one.stem}" for one in sorted(Path(folder).glob("*.py"))]
    for name in (*names, *_GUIDES):
        for one in _functions(importlib.import_module(name)):
            atheris.instrument_func(one)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module makes, also those that remember results."""
    classes = [one for one in vars(module).values() if inspect.isclass(one)]
    own = [one for one in classes if one.__module__ == module.__name__]
    for holder in (module, *own):
        for found in list(vars(holder).values()):
            plain: Any = inspect.unwrap(found) if callable(found) else found
            if isinstance(plain, FunctionType) and plain.__code__.co_filename == module.__file__:
                yield plain


def main(arguments: list[str]) -> None:
    """Run; the process ends within."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.guided", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--executions", type=int, default=0)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    _guide()
    run = Run(folder, options.seconds, options.executions)
    engine = [
        parser.prog,
        f"-seed={options.seed}",
        f"-max_len={LARGEST}",
        "-detect_leaks=0",
        f"-timeout={_HANGS}",
        f"-rss_limit_mb={_BLOATED}",
        f"-artifact_prefix={folder}/",
        f"{folder / 'corpus'}",
        f"{folder / 'seeds'}",
    ]
    spoil: Callable[..., bytes] = run.spoil
    atheris.Setup(engine, run.one, custom_mutator=spoil, custom_crossover=run.cross)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
