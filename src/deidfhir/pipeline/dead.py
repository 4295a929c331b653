"""The studies that a target refused for good: told, made due again, or given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from deidfhir.errors import UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions, open_journal
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal

_Change = Callable[[Journal, list[str]], None]
_CHANGES: dict[str, _Change] = {
    "retry": lambda journal, ids: journal.dead.take_away(ids),
    "drop": lambda journal, ids: journal.dead.drop(ids),
}


def handle_dead(
    action: str,
    ids: Sequence[str],
    where: TargetOptions,
    context: MappingContext,
    *,
    every: bool = False,
) -> list[DeadLetter]:
    """Do one thing with what a target's journal has set aside.

    Args:
        action: `list`, `show`, `retry` (the next sync sends it) or `drop` (neither sent nor told
            of until it changes).
        ids: ImagingStudy ids, as `list` tells them.
        where: Target and journal.
        context: Tells FHIR version and site, to which the journal belongs.
        every: Whether all are meant.

    Returns:
        The letters that were meant, as they were before.

    Raises:
        UsageError: `dead-ids` or `dead-unknown`, or the target is not usable.
        FatalError: The journal is not usable, or another target's.
    """
    meant = bool(ids) + every
    if meant != (action != "list"):
        raise UsageError("dead-ids")
    target = where.open(context)
    read_only = action not in _CHANGES
    with closing(open_journal(where.journal, target, context, read_only=read_only)) as journal:
        letters = journal.dead.every()
        if ids:
            unknown = set(ids) - {one.id for one in letters}
            if unknown:
                raise UsageError("dead-unknown", count=len(unknown))
            letters = [one for one in letters if one.id in ids]
        if action in _CHANGES:
            _CHANGES[action](journal, [one.id for one in letters])
    return letters
