"""Fuzz the header scan against pydicom: `make fuzz`.

python -m tools.fuzz --seconds 600 --seed 1 --page docs/fuzz.md
python -m tools.fuzz --again build/fuzz/1/difference-001
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pydicom

from tools.fuzz.lines import possible, reached
from tools.fuzz.oracle import Difference, Oracle
from tools.fuzz.page import Outcome, page, rows
from tools.fuzz.seeds import Seeds, seeds
from tools.fuzz.states import leave

_EDGES = re.compile(r"^#\d+\s.*cov: (\d+) ft: (\d+)", re.MULTILINE)
_FIXED = ["setarch", "--addr-no-randomize"]
"""Where addresses are not chosen at random, the same seed makes the same run."""


def main(arguments: list[str]) -> int:
    """Run, tell what came of it, write the page where nothing is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long (600)")
    parser.add_argument("--executions", type=int, default=0, help="how many inputs at most")
    parser.add_argument("--seed", type=int, default=1, help="what decides (1)")
    parser.add_argument("--more", type=Path, action="append", default=[], help="folder of seeds")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="(build/fuzz)")
    parser.add_argument("--page", type=Path, help="where the figures go")
    parser.add_argument("--again", type=Path, help="folder of a difference that is read again")
    options = parser.parse_args(arguments)
    if options.again:
        return again(options.again)
    if find_spec("atheris") is None:
        print("atheris is missing: type: sh tools/setup.sh fuzz", file=sys.stderr)
        return 2
    folder: Path = options.folder / str(options.seed)
    found = seeds(options.more)
    prepare(folder, found)
    outcome = run(folder, options.seconds, options.seed, options.executions)
    if outcome is None:
        return 1
    if options.page:
        measure(outcome, folder)
    print("\n".join(rows(outcome)))
    for wrong in outcome.wrong:
        print(f"seed {options.seed}: {wrong}", file=sys.stderr)
    if options.page and not outcome.wrong:
        options.page.write_text(_page(outcome, found, options), encoding="utf-8")
    return 1 if outcome.wrong else 0


def again(folder: Path) -> int:
    """Read what shows a difference again; print what differs.

    Args:
        folder: As the run wrote it.
    """
    told = json.loads((folder / "difference.json").read_text(encoding="utf-8"))
    before = tuple(one.read_bytes() for one in sorted(folder.glob("before-*.dcm")))
    data = (folder / "input.dcm").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        what = Oracle(Path(name), []).again(Difference(told["way"], told["what"], before, data))
    leave()
    print(what or "no difference")
    return 1 if what else 0


def prepare(folder: Path, found: Seeds) -> None:
    """Write the seeds; what an earlier run left is taken away.

    Args:
        folder: Where a run has its files.
        found: The seeds.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "corpus").mkdir(parents=True)
    (folder / "seeds").mkdir()
    for number, data in enumerate(found.all):
        (folder / "seeds" / f"{number:04}").write_bytes(data)


def run(folder: Path, seconds: float, seed: int, executions: int = 0) -> Outcome | None:
    """Run in a process of its own; return what came of it, or None if that ended too soon.

    Args:
        folder: Where it has its files.
        seconds: How long it takes.
        seed: What decides.
        executions: How many inputs it takes at most; 0 for no end.
    """
    command = [sys.executable, "-m", "tools.fuzz.guided", str(folder), f"--seconds={seconds}"]
    command += [f"--seed={seed}", f"--executions={executions}"]
    log, result = folder / "log.txt", folder / "result.json"
    with log.open("wb") as stream:
        done = subprocess.run(  # noqa: S603 - our own module
            [*_prefix(), *command],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdout=stream,
            stderr=stream,
            check=False,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    if done.returncode or not result.exists():
        print(f"seed {seed}: ended too soon ({done.returncode}); see {log}", file=sys.stderr)
        print("\n".join(text.splitlines()[-20:]), file=sys.stderr)
        return None
    edges = [(int(one), int(other)) for one, other in _EDGES.findall(text)]
    kept = sum(1 for _ in (folder / "corpus").iterdir())
    return Outcome(json.loads(result.read_text(encoding="utf-8")), edges, kept)


def _prefix() -> list[str]:
    if shutil.which(_FIXED[0]) is None:
        return []
    tried = subprocess.run([*_FIXED, "true"], capture_output=True, check=False)  # noqa: S603 - as named above
    return [] if tried.returncode else _FIXED


def measure(outcome: Outcome, folder: Path) -> None:
    """Measure which lines of the scan were reached.

    Args:
        outcome: Where it is noted.
        folder: Where the run had its files.
    """
    every = possible()
    begin = [one.read_bytes() for one in sorted((folder / "seeds").iterdir())]
    kept = [one.read_bytes() for one in sorted((folder / "corpus").iterdir())]
    with tempfile.TemporaryDirectory() as name:
        first = reached(begin, Oracle(Path(name), begin).check)
        then = reached(kept, Oracle(Path(name), begin).check)
    leave()
    lines, steps = first.lines | then.lines, first.steps | then.steps
    outcome.lines = (len(first.lines & every), len(lines & every), len(every))
    outcome.steps = (len(first.steps), len(steps))
    outcome.missed = sorted(every - lines)


def _page(outcome: Outcome, found: Seeds, options: argparse.Namespace) -> str:
    counts = {"that our generators make": found.made, "that pydicom ships": found.shipped}
    told = [f"{len(dict.fromkeys(files))} files {what}" for what, files in counts.items()]
    if found.given:
        told.append(f"{len(found.given)} others that are not part of the project")
    versions = {"Python": platform.python_version(), "pydicom": pydicom.__version__}
    versions["atheris"] = version("atheris")
    return page(
        outcome,
        options.seed,
        command=f"make fuzz SECONDS={options.seconds:g} SEED={options.seed}",
        day=datetime.now(UTC).date().isoformat(),
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        seeds=" and ".join(told),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
