"""The ids that a server gave to our resources, as the journal keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deidfhir.sync.store import Store

SCHEMA = """
CREATE TABLE assigned (
    name TEXT PRIMARY KEY,     -- Type/id with our id
    server_id TEXT NOT NULL    -- the id under which the target has it
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class AssignedIds:
    """Our references → the ids that the target gave.

    Args:
        store: The journal's database.
    """

    store: Store

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """Return those that are known of some references."""
        found = {}
        for name in names:
            for (identity,) in self.store.rows(
                "SELECT server_id FROM assigned WHERE name = ?", name
            ):
                found[name] = str(identity)
        return found

    def put(self, ids: Mapping[str, str]) -> None:
        """Store ids; a resource that was made anew has another one."""
        with self.store.transaction():
            for name, identity in ids.items():
                self.store.run("INSERT OR REPLACE INTO assigned VALUES (?, ?)", name, identity)

    def mode(self) -> str:
        """Return by which write mode the journal's resources were written, or an empty text."""
        rows = self.store.rows("SELECT value FROM identity WHERE name = 'write-mode'")
        return str(rows[0][0]) if rows else ""

    def keep_mode(self, mode: str) -> None:
        """Store the write mode."""
        with self.store.transaction():
            self.store.run("INSERT OR REPLACE INTO identity VALUES ('write-mode', ?)", mode)
