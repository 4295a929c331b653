"""One sync at a time to one target: a lock that goes with its process, and says whose it is."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.own import make_own_folder, open_own_file

_MOST = 200


class Lease:
    """The lease of one target, held while it is entered.

    The lock is the operating system's: a holder that died on this host holds it no more.

    Args:
        places: Where its file may be; the first that can be written counts.
        holder: What others are told of whoever holds it: process, host and instant.

    Raises:
        RetriableError: `target-held`, when it is entered and another process holds it.
        FatalError: `journal-unusable`, when none of the places can be written.
    """

    def __init__(self, places: tuple[Path, ...], holder: str) -> None:
        self._places, self._holder = places, holder
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lease."""
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = os.pread(descriptor, _MOST, 0).decode("utf-8", "replace")
            os.close(descriptor)
            raise RetriableError("target-held", holder=held or "another process") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, self._holder.encode()[:_MOST], 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back; the file stays, for taking it away could take another's lock."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def _opened(self) -> int:
        for place in self._places:
            try:
                make_own_folder(place.parent)
                return open_own_file(place, os.O_RDWR)
            except OSError:
                continue
        raise FatalError("journal-unusable", path=self._places[-1])
