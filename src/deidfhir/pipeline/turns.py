"""What is asked of an archive, several studies at a time, by threads that no end waits for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Event, Semaphore, Thread
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
_BEAT = 0.2
"""Seconds after which whoever waits for an answer looks whether the run is to end."""


class Ended(Exception):  # noqa: N818 - control flow, never seen outside
    """Nobody waits for an answer any more."""


class Turns(Generic[Result]):
    """Lets so many be asked at a time.

    Args:
        number: How many.
        pulse: Called while an answer is waited for; it may end the run by an error.
    """

    def __init__(self, number: int, pulse: Callable[[], None]) -> None:
        self._turns, self._pulse, self._ended = Semaphore(number), pulse, Event()

    def begin(self, ask: Callable[[], Result]) -> Future[Result]:
        """Ask, once it is its turn.

        Args:
            ask: Asks; it calls `still` now and then.
        """
        answer: Future[Result] = Future()

        def run() -> None:
            with self._turns:
                try:
                    self.still()
                    answer.set_result(ask())
                except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                    answer.set_exception(error)

        Thread(target=run, daemon=True).start()
        return answer

    def still(self) -> None:
        """Go on only if someone waits.

        Raises:
            Ended: Nobody does.
        """
        if self._ended.is_set():
            raise Ended

    def noting(self, take: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return the same function, which goes on only if someone waits for what comes of it."""

        def taking(one: Any) -> Any:  # noqa: ANN401 - as it is given
            self.still()
            return take(one)

        return taking

    def answered(self, answer: Future[Result]) -> Result:
        """Return an answer, once it is there."""
        while not wait((answer,), _BEAT).done:
            self._pulse()
        return answer.result()

    def end(self) -> None:
        """Wait for nothing any more."""
        self._ended.set()
