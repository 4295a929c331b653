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
CREATE INDEX assigned_by_server_id ON assigned (server_id);
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

    def ours(self, servers: Iterable[str]) -> dict[str, str]:
        """Return our references of those of the target that are known.

        Args:
            servers: References, Type/id, as the target has them.
        """
        found = {}
        for server in servers:
            kind, _, identity = server.partition("/")
            sql = "SELECT name FROM assigned WHERE server_id = ?"
            for (name,) in self.store.rows(sql, identity):
                if name.startswith(f"{kind}/"):
                    found[server] = str(name)
        return found

    def shared(self) -> dict[str, str]:
        """Return all that studies share: our reference → the id that the target gave."""
        sql = "SELECT name, server_id FROM assigned WHERE name >= ? AND name < ?"
        return {
            name: str(identity)
            for kind in ("Device", "Endpoint")
            for name, identity in self.store.rows(sql, f"{kind}/", f"{kind}0")
        }

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
