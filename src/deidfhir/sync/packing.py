"""Plans → groups that one transaction takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

from deidfhir.sync.plan import Plan
from deidfhir.sync.target import Limits

_WORTH = 25
"""So many studies are worth a transaction of their own: in larger ones each costs little less."""


def packed(plans: Iterable[Plan], limits: Limits) -> Iterator[list[Plan]]:
    """Yield the plans in their order, as many together as the limits allow.

    Where one group would take all of them, they are two, if that many are worth it: else one
    connection would do what is left, and the others nothing.

    Args:
        plans: Each of a study of its own.
        limits: Of one transaction.
    """
    plans = list(plans)
    studies = min(limits.studies, max(_WORTH, ceil(len(plans) / 2)))
    group: list[Plan] = []
    entries = size = 0
    for plan in plans:
        more = len(plan.puts) + len(plan.deletes)
        bytes_more = plan.size
        full = (
            len(group) >= studies
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
