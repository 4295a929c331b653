"""Studies on which a target broke the last time: they come last, so that they hold up no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deidfhir.sync.store import Store

SCHEMA = "CREATE TABLE broken (turn INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL);"


@dataclass(slots=True)
class Broken:
    """The ids of the ImagingStudies of such studies.

    Args:
        store: The journal's database.
    """

    store: Store

    def every(self) -> list[str]:
        """Return all of them, first the one that was tried longest ago."""
        rows = self.store.rows("SELECT id FROM broken ORDER BY turn")
        return [str(one) for (one,) in rows]

    def put(self, identity: str) -> None:
        """Remember one: of those that come last, it comes last."""
        with self.store.transaction():
            self.store.run("INSERT OR REPLACE INTO broken (id) VALUES (?)", identity)

    def take_away(self, ids: Iterable[str]) -> None:
        """Forget some: the target has taken them, or has refused them for good."""
        there = set(self.every()) & set(ids)
        if there:
            with self.store.transaction():
                self.store.run_each("DELETE FROM broken WHERE id = ?", [(one,) for one in there])
