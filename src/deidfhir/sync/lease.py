"""One sync at a time to one target: a lock that goes with its process, and says whose it is."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.own import make_own_folder, open_own_file

PASSING = "a gateway"
"""What a holder is called first that gives the lease back again and again."""

_MOST = 200
_LOOKS, _PAUSE = 500, 0.02
_WRITING = 5
"""After so many looks, whoever holds it is not about to say who it is."""


@contextmanager
def lease(
    places: tuple[Path, ...], holder: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the lease of one target.

    The lock is the operating system's: a holder that died on this host holds it no more.

    Args:
        places: Where its file may be; the first that can be written counts.
        holder: What others are told of whoever holds it: process, host and instant.
        sleep: Waits some seconds, for a holder that will soon give it back.

    Raises:
        RetriableError: `target-held`: another holds it.
        FatalError: `journal-unusable`: none of the places can be written.
    """
    descriptor = _opened(places)
    try:
        _lock(descriptor, sleep)
        with suppress(OSError):
            # The lock is what counts: on a full disk, others are told of it without a name.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode()[:_MOST], 0)
        yield
        # The file stays: taking it away could take another's lock.
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, sleep: Callable[[float], None]) -> None:
    for look in range(_LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = os.pread(descriptor, _MOST, 0).decode("utf-8", "replace")
        else:
            return
        if not held.startswith(PASSING) and (held or look >= _WRITING):
            break
        sleep(_PAUSE)
    raise RetriableError("target-held", holder=held or "another process")


def _opened(places: tuple[Path, ...]) -> int:
    for place in places:
        try:
            make_own_folder(place.parent)
            return open_own_file(place, os.O_RDWR)
        except OSError:
            continue
    raise FatalError("journal-unusable", path=places[-1])
