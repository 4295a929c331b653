"""What a run left settled, and of which files it knew that: the next one need not open them.

A study is settled as long as neither its row nor a shared resource in the journal changes: it is
forgotten then, mostly by the database itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deidfhir.sync.store import Store

SCHEMA = """
CREATE TABLE slice (
    source TEXT,
    id TEXT,                 -- stands for some files of one folder
    signature TEXT NOT NULL, -- of the files as they were, and of what decides what is made of them
    objects INTEGER NOT NULL,
    passed INTEGER NOT NULL, -- how many of them are foreign
    studies TEXT NOT NULL,   -- JSON: ids of the ImagingStudies that they belong to
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE TABLE settled (
    source TEXT,
    study TEXT,              -- id of the ImagingStudy
    slices TEXT NOT NULL,    -- JSON: ids of all slices that hold something of it
    own INTEGER NOT NULL,    -- how many resources are its alone
    shared TEXT NOT NULL,    -- JSON: ids of what it shares with others
    how TEXT NOT NULL,       -- as Standing.how, or empty for one that is not stated
    told TEXT NOT NULL,      -- JSON: what is told of it in each run
    PRIMARY KEY (source, study)
) WITHOUT ROWID;
CREATE TRIGGER study_put AFTER INSERT ON study BEGIN
    DELETE FROM settled WHERE study = new.id; END;
CREATE TRIGGER study_changed AFTER UPDATE ON study BEGIN
    DELETE FROM settled WHERE study = new.id; END;
CREATE TRIGGER study_gone AFTER DELETE ON study BEGIN
    DELETE FROM settled WHERE study = old.id; END;
CREATE TRIGGER device_gone AFTER DELETE ON device BEGIN
    DELETE FROM settled; END;
CREATE INDEX settled_study ON settled (study);
"""


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Some files of one folder, as they were when they were read.

    Args:
        signature: Stands for them, and for what decides what is made of them.
        objects: How many objects they hold.
        passed: How many of them are foreign.
        studies: Ids of the ImagingStudies that they belong to.
    """

    signature: str
    objects: int
    passed: int
    studies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A study with which nothing is to be done, and that was not read.

    Args:
        id: The id of its ImagingStudy.
        slices: Ids of all slices that hold something of it.
        own: How many resources are its alone.
        shared: Ids of what it shares with others.
        how: How it is stated, as `Standing.how`; empty for one that is not.
        told: What is told of it in each run; this room does not look into it.
    """

    id: str
    slices: tuple[str, ...] = ()
    own: int = 0
    shared: tuple[str, ...] = ()
    how: str = ""
    told: str = ""


class SettledStudies:
    """The settled studies of a journal.

    Args:
        store: The journal's database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def slices(self, source: str) -> dict[str, SliceRow]:
        """Return what is known of the files of a source, by the id of their slice."""
        sql = "SELECT id, signature, objects, passed, studies FROM slice WHERE source = ?"
        return {
            identity: SliceRow(signature, objects, passed, tuple(json.loads(studies)))
            for identity, signature, objects, passed, studies in self._store.rows(sql, source)
        }

    def studies(self, source: str) -> dict[str, Settled]:
        """Return the settled studies of a source, by the id of their ImagingStudy."""
        sql = "SELECT study, slices, own, shared, how, told FROM settled WHERE source = ?"
        return {
            study: Settled(
                study, tuple(json.loads(slices)), own, tuple(json.loads(shared)), how, told
            )
            for study, slices, own, shared, how, told in self._store.rows(sql, source)
        }

    def forget(self, shared: str) -> None:
        """Take no study for settled that shares something, inside of a transaction of the journal.

        Args:
            shared: The id of what is another now.
        """
        sql = "DELETE FROM settled WHERE EXISTS (SELECT 1 FROM json_each(shared) WHERE value = ?)"
        self._store.run(sql, shared)

    def keep(
        self,
        source: str,
        slices: Mapping[str, SliceRow | None],
        studies: Mapping[str, Settled | None],
    ) -> None:
        """Store what has changed of a source; None for what is not known any more.

        Args:
            source: The source.
            slices: Id of a slice → what is known of it.
            studies: Id of an ImagingStudy → what is known of its study.
        """
        kept = [
            (source, identity, one.signature, one.objects, one.passed, json.dumps(one.studies))
            for identity, one in slices.items()
            if one is not None
        ]
        settled = [
            (
                *(source, identity, json.dumps(one.slices), one.own),
                *(json.dumps(one.shared), one.how, one.told),
            )
            for identity, one in studies.items()
            if one is not None
        ]
        gone = [(source, one) for one, row in slices.items() if row is None]
        left = [(source, one) for one, row in studies.items() if row is None]
        if not (kept or settled or gone or left):
            return
        with self._store.transaction():
            self._store.run_each("DELETE FROM slice WHERE source = ? AND id = ?", gone)
            self._store.run_each("DELETE FROM settled WHERE source = ? AND study = ?", left)
            self._store.run_each("INSERT OR REPLACE INTO slice VALUES (?, ?, ?, ?, ?, ?)", kept)
            sql = "INSERT OR REPLACE INTO settled VALUES (?, ?, ?, ?, ?, ?, ?)"
            self._store.run_each(sql, settled)
