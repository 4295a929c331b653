"""What is due, batch by batch, each with what the target holds of it: one batch ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from deidfhir.sync.crew import Crew
from deidfhir.sync.target import Found, Target
from deidfhir.sync.unit import Refused, Unit, Vanished

_FIRST = 50
_INSTANCES = 20_000
"""A batch ends with the study that reaches so many instances: two batches are in memory."""

Study = TypeVar("Study", bound=Unit | Refused | Vanished)


def batches(work: Iterable[Study], most: int) -> Iterator[list[Study]]:
    """Yield studies so many at a time, or fewer that are large; at first few, to begin early.

    Args:
        work: The studies.
        most: Number of studies in a batch.
    """
    batch: list[Study] = []
    instances, full = 0, min(most, _FIRST)
    for one in work:
        batch.append(one)
        # Of a study that vanished little is read.
        instances += 0 if isinstance(one, Vanished) else len(one.instances)
        if len(batch) >= full or instances >= _INSTANCES:
            yield batch
            batch, instances, full = [], 0, most
    if batch:
        yield batch


def last(work: Iterable[Study], ids: Iterable[str]) -> Iterator[Study]:
    """Yield the work, some studies last of all, in their order.

    Args:
        work: The studies.
        ids: Of the studies that come last, such as those on which the target broke.
    """
    waiting: dict[str, Study | None] = dict.fromkeys(ids)
    for one in work:
        if one.id in waiting:
            waiting[one.id] = one
        else:
            yield one
    yield from (one for one in waiting.values() if one is not None)


def looked_up(
    work: Iterable[Study],
    target: Target,
    crew: Crew,
    finding: Callable[[list[Study]], Callable[[], dict[str, Found]]],
) -> Iterator[tuple[list[Study], dict[str, Found]]]:
    """Yield studies batch by batch, each with what the target holds of it by their ids.

    While one batch is sent, the next is looked up, if the target lets that be done beside.

    Args:
        work: The studies.
        target: Where they are looked up.
        crew: Looks up beside the run.
        finding: Returns what looks up a batch and touches nothing but the target.
    """
    before: tuple[list[Study], Callable[[], dict[str, Found]]] | None = None
    for batch in batches(work, target.batch):
        if before is not None and not target.looks_ahead:
            yield before[0], before[1]()
            before = None
        find = finding(batch)
        following = batch, crew.begin(find) if target.looks_ahead else find
        if before is not None:
            yield before[0], before[1]()
        before = following
    if before is not None:
        yield before[0], before[1]()
