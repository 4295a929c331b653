"""How fast it all is: `make bench`, which writes docs/bench.md; fails where a ratio is missed.

Each way has its turn in each round over the same files. `--small` is what the tests run.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deidfhir.cli.main import COLLECTED
from deidfhir.pipeline.targets import TargetOptions
from tools import bench_corpus, bench_large, bench_memory, bench_read, bench_start, bench_whole
from tools.bench_gates import Corpus, Seconds, Way, missed, told_ratios, told_ways
from tools.bench_sink import sink

PAGE = Path("docs/bench.md")
SMALL = (*bench_read.GATES, *bench_whole.GATES, *bench_start.GATES)
_EXPLAINED = """\
Each way has its turn in each round over the same files: ratios hold elsewhere, absolute numbers do
not. The corpus: studies of four series of fifty CT images, headers of 4.4 KB with private groups
and sequences; half explicit, a quarter implicit, the rest JPEG, one in forty deflated, one in fifty
with 20 KB of private data before the markers. One process, unless told.

*scan*: a file opened and its header delivered as pydicom would. *end to end*: listed, read, folded,
mapped, checked by fhir.resources, sent to a server that takes everything (in a process of its own),
journaled. *pydicom*: the header, then the same attributes by keyword; *pydicom + fhir.resources*:
that, their values made plain, and the ImagingStudy validated and dumped by its models."""
_OTHERS = """\
Readers deliver the header's values, with or without those in items; converters make FHIR of a
study's folder. The files hold 16 KB of pixels: whoever reads them whole is slower on others."""
_SOME = 400
"""So many files are read by the ways that are slow."""


def measure(ways: Mapping[str, Way], rounds: int) -> Seconds:
    """Return the seconds a file of each way, round by round, after one that does not count.

    Args:
        ways: The ways.
        rounds: How often each has its turn.
    """
    found: Seconds = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            gc.collect()
            begun = time.perf_counter()
            count = way()
            taken = (time.perf_counter() - begun) / count
            if number:
                found[name].append(taken)
    return found


def corpus_of(folder: Path, studies: int, pixels: int = 16_384) -> Corpus:
    """Make a corpus.

    Args:
        folder: An empty one.
        studies: How many, of 200 instances each.
        pixels: Bytes of pixel data in each.
    """
    bench_corpus.make(folder, studies, pixels)
    paths = tuple(sorted(str(one) for one in folder.rglob("*.dcm")))
    return Corpus(folder, paths, paths[:_SOME])


def small(studies: int, rounds: int) -> Seconds:
    """Return what is measured over few files.

    Args:
        studies: How many, of 200 instances each.
        rounds: How often each way has its turn.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(sink())
        corpus = corpus_of(folder / "archive", studies)
        ways = bench_read.reading_ways(corpus) | bench_whole.whole_ways(corpus, url, folder)
        return measure(ways, rounds) | measure(bench_start.start_ways(corpus.paths[0]), rounds)


def large(studies: int, rounds: int) -> Seconds:
    """Return what is measured over many files.

    Args:
        studies: How many, of 200 instances each.
        rounds: How often each way has its turn.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(sink())
        corpus = corpus_of(folder / "archive", studies, pixels=64)
        where = TargetOptions(url, folder / "journal")
        bench_whole.synced(corpus.folder, where)
        pool = stack.enter_context(bench_large.started(corpus))
        return measure(bench_large.large_ways(corpus, where, pool), rounds)


def main(arguments: list[str]) -> int:
    """Measure, print the tables or write the page; fail where a ratio is missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--small", action="store_true", help="few files, no rivals")
    parser.add_argument("--rounds", type=int, default=7, help="of each way (7)")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    parser.add_argument("--attempts", type=int, default=1, help="at a ratio that is missed (1)")
    options = parser.parse_args(arguments)
    gc.set_threshold(*COLLECTED)  # as the program does
    found = small(40, options.rounds)
    wrong = missed(found, SMALL)
    for _ in range(1, options.attempts):
        if not wrong:
            break
        print("\n".join(told_ratios(found, SMALL)), file=sys.stderr)
        found = small(40, options.rounds)
        wrong = missed(found, wrong)
    lines = [
        _made(),
        "",
        _EXPLAINED,
        "",
        "## Few files",
        "",
        *told_ways(found),
        "",
        *told_ratios(found, SMALL),
    ]
    if not options.small:
        many = large(100, options.rounds)
        wrong += missed(many, bench_large.GATES)
        lines += ["", "## Many files", "", *told_ways(many), ""]
        lines += told_ratios(many, bench_large.GATES)
        instances, peak = bench_memory.measure(1_000_000)
        state = "met" if peak <= bench_memory.MUST else "missed"
        lines += ["", f"Peak of memory at {instances:,} instances of a simulated listing, synced: "]
        lines[-1] += f"{peak} MB (must {bench_memory.MUST}: {state})."
        lines += _rivals()
    text = "\n".join(lines) + "\n"
    if options.write:
        PAGE.write_text(f"# How fast it is\n\n{text}", encoding="utf-8")
    else:
        print(text)
    return int(bool(wrong) or any(": missed)" in one for one in lines))


def _made() -> str:
    day = datetime.now(UTC).date().isoformat()
    packages = ", ".join(
        f"{one} {version(one)}" for one in ("pydicom", "fhir.resources", "requests")
    )
    return (
        f"Made by `make bench` on {day}: {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {packages}."
    )


def _rivals() -> list[str]:
    from tools import bench_rivals  # noqa: PLC0415 - the small form does without

    with tempfile.TemporaryDirectory() as folder:
        corpus = corpus_of(Path(folder), 4)
        rows = bench_rivals.measured(list(corpus.paths), bench_rivals.HOMES, 3)
    return ["", "## Others", "", _OTHERS, "", *bench_rivals.told(rows)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
