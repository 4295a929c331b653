"""A SQLite file of one owner and one writer: opened, migrated, guarded; errors by recovery.

WAL mode with full synchronisation: what must be known before a request is sent is on the disk
before it is sent.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.own import make_own_folder, open_own_file

_MEMORY = ":memory:"
Value = str | int


class Store:
    """The file of a journal.

    Args:
        path: The file; None for one that is forgotten.
        schema: SQL that makes version 0, an empty file, the newest one.
        migrations: Version → SQL that makes it the next one.
        read_only: Whether nothing may be written, not even the file made.

    Raises:
        FatalError: `journal-unusable` or `journal-newer`.
        RetriableError: `journal-busy`.
    """

    def __init__(
        self,
        path: Path | None,
        schema: str,
        migrations: Mapping[int, str],
        *,
        read_only: bool = False,
    ) -> None:
        self.path = path
        with self.guarded():
            self._database = self._opened(path, read_only=read_only)
            try:
                self._migrate(schema, migrations)
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

    def _migrate(self, schema: str, migrations: Mapping[int, str]) -> None:
        newest = max(migrations, default=0) + 1
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > newest:
            raise FatalError("journal-newer", path=self.path)
        if version == 0 and self.rows("SELECT name FROM sqlite_master"):
            raise FatalError("journal-unusable", path=self.path)
        steps = {newest: schema} if version == 0 else {}
        steps |= {one + 1: migrations[one] for one in range(version, newest) if version}
        for reached, sql in steps.items():
            self._database.executescript(f"BEGIN;{sql}PRAGMA user_version = {reached};COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def rows(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self.guarded():
            return self._database.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Value) -> None:
        """Run a statement, inside of `transaction`."""
        self._database.execute(sql, values)

    def run_each(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> None:
        """Run a statement with the values of each row, inside of `transaction`."""
        self._database.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is run inside durable, all or nothing; one inside of another is part of it."""
        if self._database.in_transaction:
            yield
            return
        with self.guarded():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Raise errors of SQLite as ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise RetriableError("journal-busy", path=self.path) from error
            raise FatalError("journal-unusable", path=self.path) from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise FatalError("journal-unusable", path=self.path) from error


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
