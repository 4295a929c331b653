"""The page of a run: what it did, what it reached, what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tools.fuzz.oracle import SLOWEST

MOST_MB = 500
"""By so much may the memory of a run grow."""

_HEAD = """\
# The scan beside pydicom, fuzzed

Made by `{command}` on {day}; do not edit. {versions}.

The header scan must say of any bytes just what pydicom says of them, or leave the file to it. The
run spoils files, has them read both ways and compares values, evidence, findings and the order of
the elements. It is guided: inputs that take a new way through the scan, or through pydicom's
reader, are kept and spoilt further, those with rare ways first. The engine is libFuzzer, by
Google's [atheris](https://github.com/google/atheris): it is kept, sees branches and comparisons
and not only lines, feeds what the code compares bytes with into the bytes, and ends what hangs. It
can be had for Linux on x86_64; `make fuzz` and `make test` install it there.

- Seeds: {seeds}.
- Spoilt by: flipped bits and other bytes, in the heads of elements as often as elsewhere; cuts at
  any byte; lengths that lie; elements moved, doubled, dropped, with other tags, each other's tags,
  other VRs or values; wanted elements planted where they belong; delimiters; parts of other files;
  also within what a deflated file was made of.
- Read alone, with nothing remembered; after two neighbours of which one has other values where the
  file was spoilt, so that the scan compares instead of walking; and by a scan that remembers the
  last files, forgets early and gets its first bytes cut anywhere. What all leave to pydicom is
  read by pydicom once in eight times. Of a deflated file that is cut pydicom gets what is left,
  deflated anew: it inflates all or nothing, and what stands behind a header may be cut.
- Wrong is any other word than pydicom's, an error that leaves the scan, a scan of more than
  {slowest:g} s, an end that the engine had to make, or {most} MB more memory at the end than at the
  beginning of the run.

"""
_FOOT = """
What a run finds stands in `build/fuzz/{seed}/difference-*` and is read again by
`python -m tools.fuzz --again FOLDER`; no page is written then. The seed makes every choice, where
the system lets a process have fixed addresses. What runs have found is mended, and has a test
in `tests/unit/dicom/test_scan.py`.
"""


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Args:
        result: What the run counted.
        edges: The engine's edges and features after the seeds, and at the end.
        kept: Inputs that were kept.
        lines: Lines of the scan that were reached after the seeds, at the end, and all.
        steps: Steps from line to line that were reached after the seeds, and at the end.
        missed: Lines that were never reached.
    """

    result: dict[str, Any]
    edges: list[tuple[int, int]] = field(default_factory=list)
    kept: int = 0
    lines: tuple[int, int, int] = (0, 0, 0)
    steps: tuple[int, int] = (0, 0)
    missed: list[tuple[str, int]] = field(default_factory=list)

    @property
    def grown(self) -> int:
        """MB that the memory grew by."""
        return int(self.result["peak_mb"] - self.result["begin_mb"])

    @property
    def wrong(self) -> list[str]:
        """What must not be, in words."""
        found = [f"{count}: {looks}" for looks, count in self.result["differences"].items()]
        return found + ([f"memory grew by {self.grown} MB"] if self.grown > MOST_MB else [])


def rows(outcome: Outcome) -> list[str]:
    """Return the table of a run.

    Args:
        outcome: What came of it.
    """
    result, count = outcome.result, outcome.result["executions"]
    seconds = result["seconds"]
    slowest, slow = (1000 * result["slowest"][one] for one in ("scan", "pydicom"))

    def share(name: str) -> str:
        return f"{result[name]:,} ({100 * result[name] / count:.0f} %)"

    told = {
        "executions": f"{count:,} in {seconds / 60:.1f} minutes, {count / seconds:.0f} a second",
        "read by the scan alone": share("scanned"),
        "read by comparison with neighbours": share("remembered"),
        "left to pydicom": share("left"),
        "read by pydicom": f"{result['compared']:,}, of which it skips {result['skipped']:,}",
        "differences": str(sum(result["differences"].values())),
        "inputs kept": f"{outcome.kept:,}",
        "slowest scan": f"{slowest:.0f} ms (pydicom: {slow:.0f} ms)",
        "peak memory": f"{result['peak_mb']} MB, {outcome.grown} MB more than at the beginning",
    }
    if outcome.edges:
        (edges, features), (most, features_most) = outcome.edges[0], outcome.edges[-1]
        told["edges that guide"] = f"{edges:,} by the seeds, {most:,} at the end"
        told["edges with how often"] = f"{features:,} by the seeds, {features_most:,} at the end"
    begin, end, every = outcome.lines
    if every:
        told["lines of the scan"] = f"{begin} by the seeds, {end} at the end, of {every}"
        told["steps from line to line"] = (
            f"{outcome.steps[0]} by the seeds, {outcome.steps[1]} at the end"
        )
    return [
        "| what | how much |",
        "|---|---|",
        *(f"| {one} | {what} |" for one, what in told.items()),
    ]


def page(outcome: Outcome, seed: int, **said: str) -> str:
    """Return the page.

    Args:
        outcome: What came of the run.
        seed: Its seed.
        said: `command`, `day`, `versions`, `seeds`.
    """
    text = _HEAD.format(**said, slowest=SLOWEST, most=MOST_MB) + "\n".join(rows(outcome)) + "\n"
    if outcome.missed:
        lines = ", ".join(f"`{name}` {line}" for name, line in outcome.missed)
        text += f"\nLines of the scan that were not reached: {lines}.\n"
    return text + _FOOT.format(seed=seed)
