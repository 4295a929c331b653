"""SIGINT and SIGTERM: the first ends a run after what is under way, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from deidfhir.web.timing import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TOLD = b"deidfhir: stopping after what is under way; ask again to stop at once\n"
_STDERR = 2


@contextmanager
def stopping() -> Iterator[Stop]:
    """Take the signals, but for those that whoever started the process has ignored.

    Returns:
        What tells why the run must end, once someone has asked it to.
    """
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        # Not by the stream: the signal may have come while it was being written to.
        os.write(_STDERR, _TOLD)

    main = threading.current_thread() is threading.main_thread()
    taken = [one for one in _SIGNALS if main and signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, ask) for one in taken}
    try:
        yield lambda: "interrupted" if asked else ""
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
