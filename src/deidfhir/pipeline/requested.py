"""Requests as a source: what came is a part of something, and lists nothing (D19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from deidfhir.model.study import StudyFold
from deidfhir.pipeline.delivery import Delivery
from deidfhir.pipeline.listing import digest
from deidfhir.pipeline.reading import Reading
from deidfhir.pipeline.source import Before, Changes, Tell
from deidfhir.pipeline.told import Told
from deidfhir.sync.listing import UNLISTED
from deidfhir.sync.settled import Settled

_PLACE = "POST /sync"


@dataclass(frozen=True, slots=True)
class Requested:
    """What some requests have brought.

    Args:
        deliveries: In the order in which they came; no two name the same instance.
    """

    deliveries: tuple[Delivery, ...]
    counted: ClassVar[str] = "objects taken"

    def require(self) -> None:
        """Find nothing wanting: what came is here."""

    def read(self, tell: Tell, workers: int) -> Reading:
        """Return what came."""
        del workers
        fold, count = StudyFold(), 0
        for delivery in self.deliveries:
            for one, findings in delivery.told():
                fold.add(one, findings)
                count += 1
            tell(count)
        name = UNLISTED + digest(_PLACE)
        return Reading(name, (_PLACE,), fold, count, complete=False, whole=False)

    def changes(self, before: Before) -> Changes:
        """Return what reads it: each request is new."""
        del before
        return _Anew(self)


@dataclass(frozen=True, slots=True)
class _Anew:
    """Reads what came, and keeps nothing of it."""

    source: Requested

    def read(self, tell: Tell, workers: int) -> Reading:
        """Return what came."""
        return self.source.read(tell, workers)

    def keep(
        self, settled: Mapping[str, Settled], told: Mapping[str, Told], *, is_done: bool
    ) -> None:
        """Keep nothing: nothing is read again."""
        del settled, told, is_done


def one_run(waiting: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Return the deliveries that one run may take together: the first, up to one that repeats.

    What names an instance again may say something else of it, and that must stand in the end.

    Args:
        waiting: In the order in which they came.
    """
    names: set[str] = set()
    taken = []
    for one in waiting:
        if names & one.names:
            break
        names |= one.names
        taken.append(one)
    return tuple(taken)
