"""The journal: what one target was last told, one row a study; no value of an attribute in it.

SQLite in WAL mode with full synchronisation: what must be known before a request is sent is on
the disk before it is sent.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.own import make_own_folder, open_own_file

VERSION = 2
_SCHEMA = """
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE study (
    id TEXT PRIMARY KEY,       -- id of the ImagingStudy
    state TEXT NOT NULL,       -- planned | sent | refused
    sha TEXT NOT NULL,         -- of what was last acknowledged; empty if nothing was
    statements TEXT NOT NULL,  -- JSON: Provenance id -> instant of recorded, or null for none
    sources TEXT NOT NULL      -- JSON: source -> digest of instance UID -> digest of its claims
) WITHOUT ROWID;
CREATE TABLE device (id TEXT PRIMARY KEY, sha TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id TEXT PRIMARY KEY, places TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE skipped (source TEXT, file TEXT, PRIMARY KEY (source, file)) WITHOUT ROWID;
"""
_FROM_1 = """
BEGIN;
UPDATE study SET state = 'planned', sha = '', sources = '{}';
PRAGMA user_version = 2;
COMMIT;
"""
_MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class StudyRow:
    """What the journal knows of one study.

    Args:
        state: `planned` (may or may not have arrived), `sent` or `refused`.
        sha: Digest of what was last acknowledged, or empty.
        statements: Provenance id → its `recorded`, or None for one that has none.
        sources: Source → what stands for an instance → digest of its claims, as that source
            last listed them.
    """

    state: str
    sha: str
    statements: dict[str, str | None]
    sources: dict[str, dict[str, str]]


class Journal:
    """The journal of one target.

    Args:
        path: The file; None for a journal that is forgotten.
        read_only: Whether nothing may be written, not even the file made (`--dry-run`).

    Raises:
        FatalError: `journal-unusable` or `journal-newer`.
        RetriableError: `journal-busy`.
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path
        with self._guarded():
            self._database = self._opened(path, read_only=read_only)
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise

    def _opened(self, path: Path | None, *, read_only: bool) -> sqlite3.Connection:
        if path is not None and read_only and path.exists():
            return _copied(path)
        if path is None or read_only:
            return sqlite3.connect(_MEMORY, isolation_level=None)
        make_own_folder(path.parent)
        os.close(open_own_file(path, os.O_RDWR))
        database = sqlite3.connect(path, isolation_level=None, timeout=5)
        try:
            # One writer: a second run of the same journal is told to come later.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
        except BaseException:
            database.close()
            raise
        return database

    def _migrate(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise FatalError("journal-newer", path=self.path)
        if version == 0 and list(self._rows("SELECT name FROM sqlite_master")):
            raise FatalError("journal-unusable", path=self.path)
        if version == 1:
            # What stands for instances has another form: all is looked up on the target once more.
            self._database.executescript(_FROM_1)
        if version == 0:
            self._database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def belongs_to(self, **identity: str) -> bool:
        """Whether the journal is new or was made for this target, FHIR version and namespace."""
        known = dict(self._rows("SELECT name, value FROM identity"))
        return all(known.get(name, value) == value for name, value in identity.items())

    def claim(self, **identity: str) -> None:
        """Write down what the journal is for."""
        with self._transaction():
            for name, value in identity.items():
                self._run("INSERT OR REPLACE INTO identity VALUES (?, ?)", name, value)

    def identity(self, name: str) -> str | None:
        """Return one fact of `claim`."""
        rows = list(self._rows("SELECT value FROM identity WHERE name = ?", name))
        return str(rows[0][0]) if rows else None

    def study(self, identity: str) -> StudyRow | None:
        """Return the row of a study by its ImagingStudy id."""
        sql = "SELECT state, sha, statements, sources FROM study WHERE id = ?"
        for state, sha, statements, sources in self._rows(sql, identity):
            return StudyRow(state, sha, json.loads(statements), json.loads(sources))
        return None

    def put_study(self, identity: str, row: StudyRow) -> None:
        """Store the row of a study, durably."""
        statements = json.dumps(row.statements, sort_keys=True)
        sources = json.dumps(row.sources, separators=(",", ":"))
        with self._transaction():
            sql = "INSERT OR REPLACE INTO study VALUES (?, ?, ?, ?, ?)"
            self._run(sql, identity, row.state, row.sha, statements, sources)

    def device(self, identity: str) -> str | None:
        """Return the digest of a Device that was acknowledged."""
        for (sha,) in self._rows("SELECT sha FROM device WHERE id = ?", identity):
            return str(sha)
        return None

    def put_devices(self, shas: dict[str, str]) -> None:
        """Store Devices that were acknowledged."""
        with self._transaction():
            for identity, sha in shas.items():
                self._run("INSERT OR REPLACE INTO device VALUES (?, ?)", identity, sha)

    def forget_acknowledgements(self) -> None:
        """Trust nothing that was acknowledged: the target was changed by someone else."""
        with self._transaction():
            self._run("UPDATE study SET state = 'planned', sha = ''")
            self._run("DELETE FROM device")

    def sources(self) -> dict[str, list[str]]:
        """Return source → what it consists of."""
        rows = self._rows("SELECT id, places FROM source")
        return {identity: json.loads(places) for identity, places in rows}

    def put_source(self, source: str, places: Iterable[str]) -> None:
        """Store what a source consists of."""
        with self._transaction():
            listed = json.dumps(list(places))
            self._run("INSERT OR REPLACE INTO source VALUES (?, ?)", source, listed)

    def studies_of(self, source: str) -> int:
        """Return how many studies a source has delivered."""
        sql = "SELECT COUNT(*) FROM study WHERE instr(sources, ?)"
        return sum(int(count) for (count,) in self._rows(sql, json.dumps(source) + ":"))

    def skipped(self, source: str) -> frozenset[str]:
        """Return which files of a source were skipped in its last run."""
        sql = "SELECT file FROM skipped WHERE source = ?"
        return frozenset(str(file) for (file,) in self._rows(sql, source))

    def put_skipped(self, source: str, files: Iterable[str]) -> None:
        """Store which files of a source were skipped in this run."""
        with self._transaction():
            self._run("DELETE FROM skipped WHERE source = ?", source)
            for file in files:
                self._run("INSERT INTO skipped VALUES (?, ?)", source, file)

    def _rows(self, sql: str, *values: str) -> Iterator[tuple[Any, ...]]:
        with self._guarded():
            yield from self._database.execute(sql, values).fetchall()

    def _run(self, sql: str, *values: str) -> None:
        self._database.execute(sql, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise RetriableError("journal-busy", path=self.path) from error
            raise FatalError("journal-unusable", path=self.path) from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise FatalError("journal-unusable", path=self.path) from error


def require_writable(path: Path) -> None:
    """Raise what opening the journal for writing would raise: a dry run ends as the run would.

    Raises:
        FatalError: `journal-unusable`.
    """
    nearest = next(one for one in path.absolute().parents if os.path.lexists(one))
    usable = os.access(nearest, os.W_OK | os.X_OK)
    if not usable or (os.path.lexists(path) and not os.access(path, os.W_OK)):
        raise FatalError("journal-unusable", path=path)


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory, without making the side files that opening a WAL journal makes."""
    in_use = path.with_name(path.name + "-wal").exists()
    how = "mode=ro" if in_use else "mode=ro&immutable=1"
    copy = sqlite3.connect(_MEMORY, isolation_level=None)
    address = f"{path.resolve().as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True, timeout=5)) as file:
        file.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # locked: said here, in time
        file.backup(copy)
    return copy


def default_path(target: str, environment: dict[str, str], digest: str) -> Path:
    """Return the default journal of a target, in the user's state folder.

    Args:
        target: `folder` or `server`, a hint for the reader of the folder.
        environment: The process's variables.
        digest: Names the target.
    """
    home = environment.get("XDG_STATE_HOME") or ""
    state = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    return state / "deidfhir" / f"{target}-{digest}.sqlite3"
