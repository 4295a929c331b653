"""How far the logs of archives were followed: one position a source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deidfhir.sync.store import Store

SCHEMA = """
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    content TEXT NOT NULL    -- JSON: position, by, settled
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log of an archive was followed.

    Args:
        position: Where, as the archive calls it.
        by: Stands for all that decides what is made of objects.
        settled: Whether every study that was read till then was left settled.
    """

    position: str
    by: str
    settled: bool


class Cursors:
    """The cursors of a journal.

    Args:
        store: The journal's database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, source: str) -> Cursor | None:
        """Return how far the log of a source was followed, if it was."""
        sql = "SELECT content FROM cursor WHERE source = ?"
        for (content,) in self._store.rows(sql, source):
            return Cursor(*json.loads(content))
        return None

    def put(self, source: str, cursor: Cursor | None) -> None:
        """Store how far the log of a source was followed; None for one that was not.

        Args:
            source: The source.
            cursor: Its cursor: all that came before it is done.
        """
        with self._store.transaction():
            self._store.run("DELETE FROM cursor WHERE source = ?", source)
            if cursor is not None:
                content = json.dumps([cursor.position, cursor.by, cursor.settled])
                self._store.run("INSERT INTO cursor VALUES (?, ?)", source, content)
