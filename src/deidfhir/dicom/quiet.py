"""pydicom without a word: its warnings and its log quote values, whatever the host has set."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config

_LOG = logging.getLogger("pydicom")
_LOCK = threading.RLock()
"""pydicom's settings and Python's filters of warnings are the whole process's: one at a time."""


class _Hushed(logging.Filter):
    """Drops what is logged in a thread of ours while it decodes; the host's own passes."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what no thread of ours logs."""
        del record
        return not getattr(self.depth, "value", 0)


_HUSHED = _Hushed()
_LOG.addFilter(_HUSHED)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom, and let it keep values that are longer than the standard allows."""
    depth = _HUSHED.depth
    with _LOCK:
        depth.value = getattr(depth, "value", 0) + 1
        try:
            with warnings.catch_warnings(), config.disable_value_validation():
                warnings.simplefilter("ignore")
                yield
        finally:
            depth.value -= 1
