"""What happens in a run, told as it happens; who listens is no matter of this room."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

Result = TypeVar("Result")
Field = str | int | float | bool | tuple[str, ...]
Listener = Callable[[str, Mapping[str, Field]], None]
"""Told an event of `mappings/events.toml` with its fields."""

_STUDIES: ContextVar[tuple[str, ...]] = ContextVar("studies", default=())


def unheard(_event: str, _fields: Mapping[str, Field]) -> None:
    """Let an event pass."""


def run_id(chance: Callable[[], float] = random.random) -> str:
    """Return what a run is called.

    Args:
        chance: Gives a number from 0 up to 1.
    """
    return f"{int(chance() * 16**13):013x}"


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one run.

    Args:
        listener: Told of each.
        run: What the run is called.
    """

    listener: Listener = unheard
    run: str = field(default_factory=run_id)
    _requests: Iterator[int] = field(default_factory=lambda: count(1), init=False, repr=False)

    def __call__(self, event: str, **fields: Field) -> None:
        """Tell of an event.

        Args:
            event: Its name.
            **fields: What is known of it; those that its row does not name are not written.
        """
        about = {"study_list": _STUDIES.get()} if _STUDIES.get() else {}
        self.listener(event, {"run": self.run, **fields, **about})

    def request_id(self) -> str:
        """Return what the next request is called, also to the server."""
        return f"{self.run}-{next(self._requests)}"


def about(studies: Iterable[str], work: Callable[[], Result]) -> Callable[[], Result]:
    """Return some work whose events say which studies it is about.

    Args:
        studies: ImagingStudy ids.
        work: Done in whatever thread.
    """
    ids = tuple(studies)

    def run() -> Result:
        token = _STUDIES.set(ids)
        try:
            return work()
        finally:
            _STUDIES.reset(token)

    return run
