"""Plans → groups that one transaction takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deidfhir.sync.numbers import encoded
from deidfhir.sync.plan import Plan
from deidfhir.sync.target import Limits


def packed(plans: Iterable[Plan], limits: Limits) -> Iterator[list[Plan]]:
    """Yield the plans in their order, as many together as the limits allow.

    Args:
        plans: Each of a study of its own.
        limits: Of one transaction.
    """
    group: list[Plan] = []
    entries = size = 0
    for plan in plans:
        more = len(plan.puts) + len(plan.deletes)
        bytes_more = sum(len(encoded(one).encode()) for one in plan.puts)
        full = (
            len(group) >= limits.studies
            or entries + more > limits.entries
            or size + bytes_more > limits.size
        )
        if group and full:
            yield group
            group, entries, size = [], 0, 0
        group.append(plan)
        entries, size = entries + more, size + bytes_more
    if group:
        yield group
