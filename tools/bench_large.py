"""What takes many files to be seen: several processes, and an archive that has not changed.

The start of interpreter and processes is left out.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from deidfhir.pipeline.listing import Listing, Slice, batches
from deidfhir.pipeline.records import BatchRead
from deidfhir.pipeline.slices import read_slices
from deidfhir.pipeline.spill import Spill
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.workers import pool_of, read_all, read_by
from tools.bench_gates import Corpus, Gate, Way
from tools.bench_whole import synced

_BATCH = 800
"""As a run comes to read where files are read quickly."""
ONE, TWO = "one process", "two processes"
WALK, RESYNC = "stat walk", "sync of an unchanged archive"
GATES = (Gate(ONE, TWO, 1.7, 1.9), Gate(RESYNC, WALK, 2, 1.5))


def large_ways(corpus: Corpus, where: TargetOptions, pool: ProcessPoolExecutor) -> dict[str, Way]:
    """Return the ways, each over all files of a corpus.

    Args:
        corpus: The files; they have been synced to the target.
        where: Target and journal.
        pool: Two processes, as `started` gives them.
    """

    def slices() -> Iterator[Slice]:
        return Listing((corpus.folder,)).slices()

    def alone() -> int:
        return _kept(read_all(slices(), 1))

    def both() -> int:
        return _kept(read_by(pool, read_slices, batches(slices(), lambda: _BATCH), 2))

    def walk() -> int:
        return _walked(corpus.folder)

    def resync() -> int:
        return synced(corpus.folder, where)

    return {ONE: alone, TWO: both, WALK: walk, RESYNC: resync}


def started(corpus: Corpus) -> ProcessPoolExecutor:
    """Return two processes that have read something.

    Args:
        corpus: What they read of.
    """
    pool = pool_of(2)
    few = itertools.islice(batches(Listing((corpus.folder,)).slices(), lambda: _BATCH), 8)
    for future in [pool.submit(read_slices, one) for one in few]:
        future.result()
    return pool


def _kept(read: Iterable[BatchRead]) -> int:
    spill, count = Spill(), 0
    for batch in read:
        for uid, record in batch.records:
            spill.add(uid, record)
        count += batch.files
    return count


def _walked(folder: Path) -> int:
    """List a folder and what is below it, and ask for the state of each file."""
    count, waiting = 0, [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    entry.stat()
                    count += 1
    return count
