"""Whether the target answers, for `GET /readyz`: asked now and then, however often one asks us."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from deidfhir.errors import DeidFhirError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.server import FhirServer
from deidfhir.web.events import Events
from deidfhir.web.timing import Clock

_SECONDS = 5.0
"""For an answer of the target, and until it is asked again after it gave none."""
_KEPT = 30.0
"""Seconds for which an answer that was good stands for the next."""


class Reaching:
    """Asks a target what it is (FHIR http.html#capabilities), one at a time.

    Args:
        target: The target; a folder is always reached.
        context: Tells the FHIR version.
    """

    def __init__(self, target: TargetOptions, context: MappingContext) -> None:
        seconds = min(_SECONDS, target.timeout)
        self._target = replace(target, timeout=seconds, events=Events())
        self._context = context
        self._monotonic = (target.clock or Clock()).monotonic
        self._lock = asyncio.Lock()
        self._due, self._reached = 0.0, False

    async def is_reached(self) -> bool:
        """Whether it answered as a FHIR server of our version when it was asked last."""
        async with self._lock:
            if self._monotonic() >= self._due:
                self._reached = await asyncio.to_thread(self._asked)
                self._due = self._monotonic() + (_KEPT if self._reached else _SECONDS)
            return self._reached

    def _asked(self) -> bool:
        try:
            target = self._target.open(self._context)
            if isinstance(target, FhirServer):
                target.check()
        except DeidFhirError:
            return False
        return True
