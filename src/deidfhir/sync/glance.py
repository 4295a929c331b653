"""One row of a journal, read without holding it: a sync that begins meanwhile is not kept off."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.journal import NEWEST, ONE_STUDY, StudyRow, row_of


def glance(path: Path, identity: Mapping[str, str], study: str) -> StudyRow | None:
    """Return what a journal knows of one study, or None where there is no journal or no row.

    Args:
        path: The journal's file.
        identity: To what it must belong.
        study: Id of the ImagingStudy.

    Raises:
        RetriableError: `journal-busy`: a run has it to itself.
        FatalError: `journal-unusable`, `journal-newer` or `journal-other-target`.
    """
    try:
        before = path.stat().st_mtime_ns
        in_use = _is_in_use(path)
        found = _read(path, identity, study, in_use=in_use)
        changed = path.stat().st_mtime_ns != before or _is_in_use(path) != in_use
    except FileNotFoundError:
        return None
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise RetriableError("journal-busy", path=path) from error
        raise FatalError("journal-unusable", path=path) from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise FatalError("journal-unusable", path=path) from error
    if changed:
        raise RetriableError("journal-busy", path=path)
    return found


def _is_in_use(path: Path) -> bool:
    return path.with_name(path.name + "-wal").exists()


def _read(path: Path, identity: Mapping[str, str], study: str, *, in_use: bool) -> StudyRow | None:
    # What nobody uses is read as it lies: no file is made beside it.
    how = "mode=ro" if in_use else "mode=ro&immutable=1"
    address = f"{path.resolve().as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True, timeout=0)) as file:
        (version,) = file.execute("PRAGMA user_version").fetchone()
        if version > NEWEST:
            raise FatalError("journal-newer", path=path)
        if version < NEWEST:
            return None  # the next sync brings it up to date
        known = dict(file.execute("SELECT name, value FROM identity").fetchall())
        if any(known.get(name, value) != value for name, value in identity.items()):
            raise FatalError("journal-other-target", path=path)
        rows = file.execute(ONE_STUDY, (study,)).fetchall()
    return row_of(rows[0]) if rows else None
