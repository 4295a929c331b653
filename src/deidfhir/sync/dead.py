"""Dead letters: studies that the target refuses for good, set aside until they change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from deidfhir.sync.store import Store
from deidfhir.web.diagnostics import Issue, issue_from
from deidfhir.web.recovery import Recovery, recovery_of

SCHEMA = """
CREATE TABLE dead (
    id TEXT PRIMARY KEY,        -- id of the ImagingStudy
    sha TEXT NOT NULL,          -- of what was refused: a change makes the study due again
    status INTEGER NOT NULL,    -- HTTP status
    server_code TEXT NOT NULL,  -- the server's own code; never its text
    since TEXT NOT NULL,        -- instant of the first refusal
    dropped INTEGER NOT NULL    -- 1 if the operator does not want to hear of it any more
) WITHOUT ROWID;
"""
WITH_ISSUES = """
-- JSON: what the server said against it, codes and paths of elements alone.
ALTER TABLE dead ADD COLUMN issues TEXT NOT NULL DEFAULT '[]';
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One study that is set aside.

    Args:
        id: The id of its ImagingStudy.
        sha: Digest of what was refused.
        status: HTTP status.
        server_code: The server's own code, or an issue code of FHIR, or empty.
        since: Instant of the first refusal.
        dropped: Whether the operator gave it up.
        issues: What the server said against it, without its text.
    """

    id: str
    sha: str
    status: int
    server_code: str
    since: str
    dropped: bool
    issues: tuple[Issue, ...] = ()

    @property
    def cause(self) -> Recovery:
        """What the refusal asks for, such as other data."""
        return recovery_of(self.status, self.server_code)

    @property
    def answer(self) -> str:
        """What the server answered: HTTP status and code."""
        return f"HTTP {self.status} {self.server_code}".strip()


@dataclass(slots=True)
class DeadLetters:
    """The dead letters of a journal.

    Args:
        store: The journal's database.
    """

    store: Store
    _ids: set[str] | None = field(default=None, init=False)
    """Of those that are there: most studies have none, and each is asked for."""

    def get(self, identity: str) -> DeadLetter | None:
        """Return the letter of a study by its ImagingStudy id."""
        if identity not in self._known():
            return None
        return next(iter(self._read("WHERE id = ?", identity)), None)

    def every(self) -> list[DeadLetter]:
        """Return all letters, by id."""
        return self._read("ORDER BY id")

    def put(self, letter: DeadLetter) -> None:
        """Set a study aside; one that was refused before keeps its instant."""
        before = self.get(letter.id)
        since = before.since if before else letter.since
        values = (letter.id, letter.sha, letter.status, letter.server_code, since)
        issues = json.dumps([one.as_dict() for one in letter.issues])
        with self.store.transaction():
            sql = "INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?, ?, ?)"
            self.store.run(sql, *values, int(letter.dropped), issues)
        self._known().add(letter.id)

    def take_away(self, ids: Iterable[str]) -> None:
        """Make studies due again."""
        there = self._known() & set(ids)
        if there:
            with self.store.transaction():
                self.store.run_each("DELETE FROM dead WHERE id = ?", [(one,) for one in there])
            self._ids = None  # known again once that is durable

    def drop(self, ids: Iterable[str]) -> None:
        """Give studies up as they are: they are neither sent nor told of until they change."""
        with self.store.transaction():
            for identity in ids:
                self.store.run("UPDATE dead SET dropped = 1 WHERE id = ?", identity)

    def _known(self) -> set[str]:
        if self._ids is None:
            self._ids = {str(one) for (one,) in self.store.rows("SELECT id FROM dead")}
        return self._ids

    def _read(self, rest: str, *values: str) -> list[DeadLetter]:
        columns = "id, sha, status, server_code, since, dropped, issues"
        rows = self.store.rows(f"SELECT {columns} FROM dead {rest}", *values)  # noqa: S608 - ours
        return [
            DeadLetter(identity, sha, status, code, since, bool(dropped), _issues(stored))
            for identity, sha, status, code, since, dropped, stored in rows
        ]


def _issues(stored: str) -> tuple[Issue, ...]:
    return tuple(issue_from(one) for one in json.loads(stored))
