"""The journal: what one target was last told, one row a study; no value of an attribute in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deidfhir.sync import assigned, broken, cursors, dead, settled
from deidfhir.sync.assigned import AssignedIds
from deidfhir.sync.broken import Broken
from deidfhir.sync.cursors import Cursors
from deidfhir.sync.dead import DeadLetters
from deidfhir.sync.settled import SettledStudies
from deidfhir.sync.standing import Standing
from deidfhir.sync.store import Store

_SCHEMA = f"""
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE study (
    id TEXT PRIMARY KEY,       -- id of the ImagingStudy
    state TEXT NOT NULL,       -- planned | sent | refused | leaving | retired | deleted
    sha TEXT NOT NULL,         -- of what was last acknowledged; empty if nothing was
    statements TEXT NOT NULL,  -- JSON: Provenance id -> instant of recorded, or null for none
    sources TEXT NOT NULL,     -- JSON: source -> what stands for an instance -> digest of claims
    parts TEXT NOT NULL DEFAULT '{{}}', -- JSON: source -> digest of what it stated, its files
    standing TEXT NOT NULL DEFAULT '' -- Standing.text, or empty where nothing was decided
) WITHOUT ROWID;
CREATE TABLE device (id TEXT PRIMARY KEY, sha TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id TEXT PRIMARY KEY, places TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE skipped (source TEXT, file TEXT, PRIMARY KEY (source, file)) WITHOUT ROWID;
{dead.SCHEMA}{dead.WITH_ISSUES}{assigned.SCHEMA}{broken.SCHEMA}{settled.SCHEMA}{cursors.SCHEMA}
"""
_MIGRATIONS = {
    # What stands for instances has another form: all is looked up on the target once more.
    1: "UPDATE study SET state = 'planned', sha = '', sources = '{}';",
    2: dead.SCHEMA,
    3: dead.WITH_ISSUES,
    4: "ALTER TABLE study ADD COLUMN parts TEXT NOT NULL DEFAULT '{}';",
    5: assigned.SCHEMA,
    6: "ALTER TABLE study ADD COLUMN standing TEXT NOT NULL DEFAULT '';",
    # Words between spaces become a list in JSON.
    7: """UPDATE study SET standing = '["' || replace(standing, ' ', '","') || '",[]]'
WHERE standing <> '';""",
    8: broken.SCHEMA,
    9: settled.SCHEMA,
    10: cursors.SCHEMA,
}

NEWEST = max(_MIGRATIONS) + 1

_in_order = json.JSONEncoder(sort_keys=True).encode
_compact = json.JSONEncoder(separators=(",", ":")).encode

DELIVERED = ""
"""Stands among a row's sources for what was ever sent, among its parts for all of what stands."""

_ABSENT = 10_000
"""So many ids of studies that have no row are kept in memory."""

LEAVING, RETIRED, DELETED = "leaving", "retired", "deleted"
TOMBSTONES = (RETIRED, DELETED)

ONE_STUDY = "SELECT state, sha, statements, sources, parts, standing FROM study WHERE id = ?"

_MAKE_DUE = """
UPDATE study SET sha = '', parts = '{}', state =
CASE WHEN state IN ('leaving', 'retired', 'deleted') THEN 'leaving' ELSE 'planned' END
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What one source had stated of a study, as the target last took it.

    Args:
        sha: Digest of what the source alone states.
        files: What stands for an instance → what stands for the file that it was read from.
    """

    sha: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """What the journal knows of one study.

    Args:
        state: `planned` (may or may not have arrived), `sent`, `refused`, `leaving` (vanished; may
            or may not have gone), `retired` or `deleted`.
        sha: Digest of what was last acknowledged, or empty.
        statements: Provenance id → its `recorded`, or None for one that has none.
        sources: Source → what stands for an instance → digest of its claims, as that source
            last listed them.
        parts: Source → what it last had stated.
        standing: Whether it is stated in our ImagingStudy or by someone else's (D21); None where
            that was never decided.
    """

    state: str
    sha: str
    statements: dict[str, str | None]
    sources: dict[str, dict[str, str]]
    parts: dict[str, Part] = field(default_factory=dict)
    standing: Standing | None = None


def parts_of(
    row: StudyRow | None, but: Collection[str], lost: frozenset[str] = frozenset()
) -> dict[str, Part]:
    """Return what sources had stated of a study.

    Args:
        row: What the journal knows of it.
        but: Sources that are left out.
        lost: Instances that the target has lost: whoever lists them must state them anew.
    """
    return {
        source: part
        for source, part in (row.parts if row else {}).items()
        if row and source not in but and not lost & row.sources.get(source, {}).keys()
    }


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
        self._store = Store(path, _SCHEMA, _MIGRATIONS, read_only=read_only)
        self.path = path
        self.dead = DeadLetters(self._store)
        self.assigned = AssignedIds(self._store)
        self.broken = Broken(self._store)
        self.settled = SettledStudies(self._store)
        self.cursors = Cursors(self._store)
        self._absent: set[str] = set()  # a new study is asked for several times

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def belongs_to(self, **identity: str) -> bool:
        """Whether the journal is new or was made for this target, FHIR version and namespace."""
        known = dict(self._store.rows("SELECT name, value FROM identity"))
        return all(known.get(name, value) == value for name, value in identity.items())

    def claim(self, **identity: str) -> None:
        """Write down what the journal is for."""
        with self._store.transaction():
            for name, value in identity.items():
                self._store.run("INSERT OR REPLACE INTO identity VALUES (?, ?)", name, value)

    def identity(self, name: str) -> str | None:
        """Return one fact of `claim`."""
        rows = self._store.rows("SELECT value FROM identity WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def study(self, identity: str) -> StudyRow | None:
        """Return the row of a study by its ImagingStudy id."""
        if identity in self._absent:
            return None
        for values in self._store.rows(ONE_STUDY, identity):
            return row_of(values)
        if len(self._absent) >= _ABSENT:
            self._absent.clear()
        self._absent.add(identity)
        return None

    def put_studies(self, rows: Mapping[str, StudyRow]) -> None:
        """Store the rows of studies, durably and all at once."""
        sql = "INSERT OR REPLACE INTO study VALUES (?, ?, ?, ?, ?, ?, ?)"
        stored = [_stored(identity, row) for identity, row in rows.items()]
        self._absent.difference_update(rows)
        with self._store.transaction():
            self._store.run_each(sql, stored)

    def acknowledge(self, rows: Mapping[str, StudyRow]) -> None:
        """Store the rows of studies of which the target has taken all: nothing is set aside."""
        with self._store.transaction():
            self.put_studies(rows)
            self.dead.take_away(rows)
            self.broken.take_away(rows)

    def device(self, identity: str) -> str | None:
        """Return the digest of a Device that was acknowledged."""
        for (sha,) in self._store.rows("SELECT sha FROM device WHERE id = ?", identity):
            return str(sha)
        return None

    def put_devices(self, shas: dict[str, str]) -> None:
        """Store Devices that were acknowledged; who shares one that was another is not settled."""
        with self._store.transaction():
            for identity, sha in shas.items():
                if self.device(identity) not in (None, sha):
                    self.settled.forget(identity)
                self._store.run("INSERT OR REPLACE INTO device VALUES (?, ?)", identity, sha)

    def forget_acknowledgements(self) -> None:
        """Trust nothing that was acknowledged: the target was changed by someone else."""
        with self._store.transaction():
            self._store.run(_MAKE_DUE)
            self._store.run("DELETE FROM device")

    def make_due(self, ids: Iterable[str], devices: Iterable[str]) -> None:
        """Trust nothing that was acknowledged of some studies and Devices.

        Args:
            ids: Of ImagingStudies.
            devices: Ids of what they share.
        """
        with self._store.transaction():
            for identity in ids:
                self._store.run(f"{_MAKE_DUE} WHERE id = ?", identity)
            for identity in devices:
                self._store.run("DELETE FROM device WHERE id = ?", identity)

    def in_state(self, *states: str) -> list[str]:
        """Return the ids of the studies that are in one of some states."""
        marks = ", ".join("?" * len(states))
        sql = f"SELECT id FROM study WHERE state IN ({marks}) ORDER BY id"  # noqa: S608 - marks
        return [str(identity) for (identity,) in self._store.rows(sql, *states)]

    def delivered_by(self, sources: Iterable[str], seen: Iterable[str]) -> frozenset[str]:
        """Return the ids of the studies that some sources list, as they last said.

        Args:
            sources: The sources.
            seen: Ids of studies of which nobody asks; what is listed of them is not looked at.
        """
        sql = (
            "SELECT DISTINCT study.id FROM study, json_each(study.sources) AS listed "
            "WHERE study.id NOT IN (SELECT value FROM json_each(?)) "
            "AND listed.key IN (SELECT value FROM json_each(?))"
        )
        given = json.dumps(sorted(seen)), json.dumps(sorted(sources))
        rows = self._store.rows(sql, *given)
        return frozenset(str(identity) for (identity,) in rows)

    def sources(self) -> dict[str, list[str]]:
        """Return source → what it consists of."""
        rows = self._store.rows("SELECT id, places FROM source")
        return {identity: json.loads(places) for identity, places in rows}

    def put_source(self, source: str, places: Iterable[str]) -> None:
        """Store what a source consists of."""
        with self._store.transaction():
            listed = json.dumps(list(places))
            self._store.run("INSERT OR REPLACE INTO source VALUES (?, ?)", source, listed)

    def known_files(self) -> frozenset[str]:
        """Return what stands for the path of every file that delivered an instance."""
        rows = self._store.rows("SELECT parts FROM study")
        return frozenset(
            file.partition(".")[0]
            for (parts,) in rows
            for _, files in json.loads(parts).values()
            for file in files.values()
        )

    def skipped(self, source: str) -> frozenset[str]:
        """Return which files of a source were skipped in its last run."""
        sql = "SELECT file FROM skipped WHERE source = ?"
        return frozenset(str(file) for (file,) in self._store.rows(sql, source))

    def put_skipped(self, source: str, files: Iterable[str]) -> None:
        """Store which files of a source were skipped in this run."""
        with self._store.transaction():
            self._store.run("DELETE FROM skipped WHERE source = ?", source)
            for file in files:
                self._store.run("INSERT INTO skipped VALUES (?, ?)", source, file)


def row_of(columns: tuple[str, ...]) -> StudyRow:
    """Return the row of a study.

    Args:
        columns: Those of `ONE_STUDY`, as the file has them.
    """
    state, sha, statements, sources, parts, standing = columns
    listed = {key: Part(*part) for key, part in json.loads(parts).items()}
    known = (json.loads(statements), json.loads(sources), listed, Standing.of(standing))
    return StudyRow(state, sha, *known)


def _stored(identity: str, row: StudyRow) -> tuple[str, ...]:
    parts = {key: [one.sha, one.files] for key, one in row.parts.items()}
    standing = row.standing.text() if row.standing else ""
    listed = (_in_order(row.statements), _compact(row.sources), _compact(parts))
    return (identity, row.state, row.sha, *listed, standing)
