"""Studies on which a target broke the last time: they come last, so that they hold up no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deidfhir.sync.store import Store

SCHEMA = "CREATE TABLE broken (id TEXT PRIMARY KEY) WITHOUT ROWID;"


@dataclass(slots=True)
class Broken:
    """The ids of the ImagingStudies of such studies.

    Args:
        store: The journal's database.
    """

    store: Store

    def every(self) -> frozenset[str]:
        """Return all of them."""
        return frozenset(str(one) for (one,) in self.store.rows("SELECT id FROM broken"))

    def put(self, identity: str) -> None:
        """Remember one."""
        with self.store.transaction():
            self.store.run("INSERT OR IGNORE INTO broken VALUES (?)", identity)

    def take_away(self, ids: Iterable[str]) -> None:
        """Forget some: the target has taken them, or has refused them for good."""
        there = self.every() & set(ids)
        if there:
            with self.store.transaction():
                self.store.run_each("DELETE FROM broken WHERE id = ?", [(one,) for one in there])
