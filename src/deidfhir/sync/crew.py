"""Work that is done beside the run, on connections of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Crew:
    """Does some things at a time.

    Args:
        size: How many; one does them when they are asked for, and starts no thread.
    """

    size: int = 1

    @property
    def begins_at_once(self) -> bool:
        """Whether work is begun before its result is asked for."""
        return self.size > 1

    def begin(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Begin some work; return what waits for its result.

        Args:
            work: Touches nothing that the run touches; what it raises is raised to who waits.
        """
        if not self.begins_at_once:
            return work
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again to who waits
                future.set_exception(error)

        # A daemon: whoever stops the program at once need not wait for a silent server.
        Thread(target=run, daemon=True).start()
        return future.result
