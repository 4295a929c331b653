"""Slices read by several processes: results in the order of the slices, whoever is first.

Processes, since parsing holds the interpreter; started anew, not forked, so that nothing of the
run (its lease, its journal, its connections) lives on in them.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from deidfhir.containers.limits import DEFAULT, Limits
from deidfhir.errors import FatalError
from deidfhir.pipeline.listing import Slice, batches
from deidfhir.pipeline.records import BatchRead
from deidfhir.pipeline.slices import read_slices

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_FEW, _MANY = 100, 800
"""Files that are read by one call, at least, and at least where files are read quickly: whoever
wants a run to stop waits for a call."""
_CALL = 0.02
"""Seconds that a call shall take: it costs a part of a millisecond itself."""
_ALONE = 0.2
"""So many seconds are read without other processes: to start them costs as much."""
_AHEAD = 3
"""Batches a process that are under way or wait to be taken."""


def default_workers() -> int:
    """Return how many processes may read: one a CPU of this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_all(
    slices: Iterable[Slice],
    workers: int,
    *,
    signed: bool = False,
    limits: Limits = DEFAULT,
    pulse: Callable[[], None] | None = None,
) -> Iterator[BatchRead]:
    """Yield what was read of slices, batch by batch, in their order.

    Args:
        slices: In their order.
        workers: How many processes may read; with 1, none is started.
        signed: Whether to say what stands for the files as they were.
        limits: What files that hold others are refused beyond.
        pulse: Called now and then while this process reads a file that holds others.

    Raises:
        FatalError: `worker-lost`.
    """
    read = partial(read_slices, signed=signed, limits=limits)
    pace = _Pace()
    waiting = batches(slices, pace.size)
    for batch in waiting:
        begun = time.monotonic()
        done = read(batch, pulse=pulse) if pulse else read(batch)
        pace.note(done.files, time.monotonic() - begun)
        yield done
        if workers > 1 and pace.seconds >= _ALONE:
            break
    first = next(waiting, None)
    if first is not None:
        pool = pool_of(workers)
        try:
            yield from read_by(pool, read, chain((first,), waiting), workers)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(slots=True)
class _Pace:
    """How quickly files are read, and so how many one call shall read."""

    files: int = 0
    seconds: float = 0.0

    def note(self, files: int, seconds: float) -> None:
        """Note what a call took."""
        self.files += files
        self.seconds += seconds

    def size(self) -> int:
        """Return how many files the next call shall read at least."""
        quickly = _CALL * self.files > _MANY * self.seconds
        return _MANY if self.files and quickly else max(_FEW, self._in_a_call())

    def _in_a_call(self) -> int:
        return int(_CALL * self.files / self.seconds) if self.seconds else _FEW


def read_by(
    pool: ProcessPoolExecutor,
    read: Callable[[tuple[Slice, ...]], BatchRead],
    waiting: Iterable[tuple[Slice, ...]],
    workers: int,
) -> Iterator[BatchRead]:
    """Yield what a pool read of batches, in their order.

    Args:
        pool: As `pool_of` gives it.
        read: Reads one batch.
        waiting: The batches.
        workers: How many processes the pool has.

    Raises:
        FatalError: `worker-lost`.
    """
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - one starts none

    under_way: deque[Future[BatchRead]] = deque()
    try:
        for batch in waiting:
            under_way.append(_submitted(pool, read, batch))
            if len(under_way) >= workers * _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool as error:
        raise FatalError("worker-lost") from error


def _submitted(
    pool: ProcessPoolExecutor,
    read: Callable[[tuple[Slice, ...]], BatchRead],
    batch: tuple[Slice, ...],
) -> Future[BatchRead]:
    """Let a pool read a batch; it may have to start a process for that.

    Raises:
        FatalError: `worker-lost`.
    """
    try:
        return pool.submit(read, batch)
    except (EOFError, OSError) as error:  # what starts the processes was ended from outside
        raise FatalError("worker-lost") from error


def pool_of(workers: int) -> ProcessPoolExecutor:
    """Return processes that read; each is started when it is first needed.

    Args:
        workers: How many.
    """
    import multiprocessing  # noqa: PLC0415 - one starts none
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload([read_slices.__module__])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)


def _begin() -> None:
    """Make a process end with the run, and leave it to the run what an interrupt means."""
    from multiprocessing import parent_process  # noqa: PLC0415 - only in such a process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    from multiprocessing.connection import wait  # noqa: PLC0415 - only in such a process

    wait([sentinel])
    os._exit(1)
