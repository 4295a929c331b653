"""SIGINT and SIGTERM: the first ends a run after what is under way, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TOLD = b"deidfhir: stopping after what is under way; ask again to stop at once\n"
_STDERR = 2


class Stopping:
    """Whether someone asked the process to stop; while it is entered, signals set it."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Return whether the run is to end."""
        return self._asked

    def __enter__(self) -> Self:
        """Take the signals, but for those that whoever started the process has ignored."""
        if threading.current_thread() is threading.main_thread():
            for one in _SIGNALS:
                if signal.getsignal(one) is not signal.SIG_IGN:
                    self._before[one] = signal.signal(one, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        # Not by the stream: the signal may have come while it was being written to.
        os.write(_STDERR, _TOLD)
