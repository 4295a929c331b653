"""The journal: what a target was last told, on disk, for its owner alone."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deidfhir.errors import FatalError, RetriableError
from deidfhir.sync.dead import DeadLetter
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.places import default_path
from deidfhir.sync.standing import How, Mode, Standing
from deidfhir.web.diagnostics import Issue

ROW = StudyRow(
    "sent", "abc", {"p1": "2020-01-01T00:00:00+00:00", "p2": None}, {"source": {"i1": "c1"}}
)
LINES = {
    "newer": "the journal {} was written by a newer deidfhir: "
    "update deidfhir, or give another one with --journal",
    "unusable": "the journal cannot be used: {}; check its permissions and the disk, "
    "or give another one with --journal",
    "busy": "another run holds the journal {}: run the same command again when it is done",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is to be."""
    return tmp_path / "state" / "deidfhir" / "journal.sqlite3"


UNSETTLED = """
DROP TRIGGER study_put; DROP TRIGGER study_changed; DROP TRIGGER study_gone;
DROP TRIGGER device_gone; DROP TABLE settled; DROP TABLE slice; DROP TABLE cursor;
"""


def mode(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_journal_has_the_newest_schema_version_and_is_written_ahead(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (11,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_stored_survives_a_crash_at_once(path: Path, tmp_path: Path) -> None:
    journal = Journal(path)
    journal.put_studies({"s1": ROW})
    shutil.copytree(path.parent, tmp_path / "crashed")  # as the disk is if the process dies now
    again = Journal(tmp_path / "crashed" / path.name)
    assert again.study("s1") == ROW
    assert journal._store._database.execute("PRAGMA synchronous").fetchone() == (2,)
    again.close()
    journal.close()


def test_the_journal_and_its_folder_are_for_the_owner_alone(path: Path) -> None:
    journal = Journal(path)
    journal.put_studies({"s1": ROW})
    assert mode(path.parent) == 0o700
    files = list(path.parent.iterdir())
    assert path in files
    assert {mode(one) for one in files} == {0o600}
    journal.close()


def test_a_study_comes_back_as_it_was_stored(path: Path) -> None:
    journal = Journal(path)
    journal.put_studies({"s1": ROW})
    journal.close()
    again = Journal(path)
    assert again.study("s1") == ROW
    assert again.study("s2") is None
    again.close()


def test_a_study_has_one_row_however_often_it_is_stored(path: Path) -> None:
    journal = Journal(path)
    for state in ("planned", "sent", "refused"):
        journal.put_studies({"s1": StudyRow(state, "", {}, {})})
    assert journal._store._database.execute("SELECT state FROM study").fetchall() == [("refused",)]
    journal.close()


def test_devices_come_back_as_they_were_stored(path: Path) -> None:
    journal = Journal(path)
    journal.put_devices({"d1": "abc", "d2": "def"})
    journal.put_devices({"d1": "ghi"})
    assert [journal.device(one) for one in ("d1", "d2", "d3")] == ["ghi", "def", None]
    journal.close()


def test_skipped_files_are_those_of_the_last_run_of_their_source(path: Path) -> None:
    journal = Journal(path)
    journal.put_skipped("one", ["a", "b"])
    journal.put_skipped("two", ["c"])
    journal.put_skipped("one", ["b"])
    assert journal.skipped("one") == {"b"}
    assert journal.skipped("two") == {"c"}
    assert journal.skipped("three") == frozenset()
    journal.close()


def test_forgetting_acknowledgements_keeps_the_instants_of_first_statement(path: Path) -> None:
    journal = Journal(path)
    journal.put_studies({"s1": ROW})
    journal.put_devices({"d1": "abc"})
    journal.forget_acknowledgements()
    assert journal.study("s1") == StudyRow("planned", "", ROW.statements, ROW.sources)
    assert journal.device("d1") is None
    journal.close()


@pytest.mark.parametrize("name", ["target", "fhir", "site"])
def test_a_journal_belongs_to_one_target_version_and_site(path: Path, name: str) -> None:
    identity = {"target": "t", "fhir": "R4", "site": "s"}
    journal = Journal(path)
    assert journal.belongs_to(**identity)
    journal.claim(**identity)
    assert journal.belongs_to(**identity)
    assert not journal.belongs_to(**{**identity, name: "other"})
    journal.close()


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(FatalError) as caught:
        Journal(path)
    assert str(caught.value) == LINES["newer"].format(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"no database at all", b"\0" * 4096, b"SQLite format 3\0" + b"\xff" * 2000]
)
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(FatalError) as caught:
        Journal(path).claim(target="t")
    assert str(caught.value) == LINES["unusable"].format(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE study (name TEXT); INSERT INTO study VALUES ('x')")
    with pytest.raises(FatalError) as caught:
        Journal(path)
    assert str(caught.value) == LINES["unusable"].format(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM study").fetchall() == [("x",)]


@pytest.mark.parametrize("spoil", ["folder", "below a file"])
def test_a_journal_that_cannot_be_made_is_one_line(tmp_path: Path, spoil: str) -> None:
    place = tmp_path / "place"
    if spoil == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"")
        place = place / "journal"
    with pytest.raises(FatalError) as caught:
        Journal(place)
    assert str(caught.value) == LINES["unusable"].format(place)


def test_a_journal_that_another_run_holds_is_for_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Journal(path)
    first.put_studies({"s1": ROW})
    original = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: original(*a, **{**k, "timeout": 0}))
    with pytest.raises(RetriableError) as caught:
        Journal(path).put_studies({"s1": ROW})
    assert str(caught.value) == LINES["busy"].format(path)
    first.close()
    Journal(path).close()


@pytest.mark.parametrize("cause", ["newer", "garbage", "foreign", "held"])
def test_a_journal_that_is_refused_is_not_left_open(
    path: Path, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    first = Journal(path)
    if cause != "held":
        first.close()
        path.unlink()
        with closing(sqlite3.connect(path)) as database:
            database.execute(
                "PRAGMA user_version = 99" if cause == "newer" else "CREATE TABLE x (y)"
            )
    if cause == "garbage":
        path.write_bytes(b"no database at all" * 100)
    opened: list[sqlite3.Connection] = []
    original = sqlite3.connect

    def noted(*arguments: object, **options: object) -> sqlite3.Connection:
        opened.append(original(*arguments, **{**options, "timeout": 0}))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    with pytest.raises((FatalError, RetriableError)):
        Journal(path)
    first.close()
    assert len(opened) == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_write_that_fails_leaves_what_was_there(path: Path) -> None:
    journal = Journal(path)
    journal.put_skipped("one", ["a"])
    with pytest.raises(FatalError):
        journal.put_skipped("one", ["b", "b"])
    assert journal.skipped("one") == {"a"}
    journal.close()


def test_reading_only_makes_no_file_and_changes_none(path: Path) -> None:
    missing = Journal(path, read_only=True)
    missing.put_studies({"s1": ROW})
    missing.close()
    assert not path.parent.exists()
    journal = Journal(path)
    journal.put_studies({"s1": ROW})
    journal.close()
    before = path.read_bytes()
    copy = Journal(path, read_only=True)
    assert copy.study("s1") == ROW
    copy.forget_acknowledgements()
    copy.close()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("state", ["", "relative/state"])
def test_the_default_journal_is_in_the_state_folder_of_the_home(tmp_path: Path, state: str) -> None:
    assert default_path("server", {"XDG_STATE_HOME": state}, "0123") == (
        tmp_path / "home" / ".local" / "state" / "deidfhir" / "server-0123.sqlite3"
    )


def test_the_default_journal_follows_the_state_folder_that_is_set(tmp_path: Path) -> None:
    assert default_path("folder", {"XDG_STATE_HOME": str(tmp_path)}, "0123") == (
        tmp_path / "deidfhir" / "folder-0123.sqlite3"
    )


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        (1, StudyRow("planned", "", {"p": None}, {})),
        (2, StudyRow("sent", "sha", {"p": None}, {"here": {"digest": "claim"}})),
    ],
    ids=["1: all is due once more", "2: nothing is"],
)
def test_a_journal_of_an_older_version_is_taken_over(
    path: Path, version: int, taken: StudyRow
) -> None:
    row = StudyRow("sent", "sha", {"p": None}, {"here": {"digest": "claim"}})
    with closing(Journal(path)) as journal:
        journal.put_studies({"s": row})
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            f"{UNSETTLED} DROP TABLE broken; DROP TABLE dead; DROP TABLE assigned;"
            "ALTER TABLE study DROP COLUMN parts;"
            "ALTER TABLE study DROP COLUMN standing;"
            f"PRAGMA user_version = {version}"
        )
    with closing(Journal(path)) as journal:
        assert journal.study("s") == taken
        assert journal.dead.every() == []
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (11,)


def test_letters_of_version_3_are_kept_without_issues(path: Path) -> None:
    letter = DeadLetter("s", "sha", 422, "invariant", "instant", dropped=True)
    with closing(Journal(path)) as journal:
        journal.dead.put(replace(letter, issues=(Issue("error", "invariant"),)))
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            f"{UNSETTLED} DROP TABLE broken; DROP TABLE assigned;"
            "ALTER TABLE dead DROP COLUMN issues;"
            "ALTER TABLE study DROP COLUMN parts;"
            "ALTER TABLE study DROP COLUMN standing;"
            "PRAGMA user_version = 3"
        )
    with closing(Journal(path)) as journal:
        assert journal.dead.every() == [letter]


@pytest.mark.parametrize(
    ("kept", "standing"),
    [
        ("linked link pacs-1 3", Standing(How.LINKED, Mode.LINK, "pacs-1", "3")),
        ("owned enrich  ", Standing(How.OWNED, Mode.ENRICH)),
        ("", None),
    ],
)
def test_how_a_study_stood_in_version_7_is_kept(
    path: Path, kept: str, standing: Standing | None
) -> None:
    with closing(Journal(path)) as journal:
        journal.put_studies({"s": ROW})
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE study SET standing = ?", (kept,))
        database.commit()
        database.executescript(f"{UNSETTLED} DROP TABLE broken; PRAGMA user_version = 7")
    with closing(Journal(path)) as journal:
        assert journal.study("s") == replace(ROW, standing=standing)


def test_studies_are_stored_together_or_not_at_all(path: Path) -> None:
    broken = StudyRow("sent", None, {}, {})  # type: ignore[arg-type]
    with closing(Journal(path)) as journal:
        with pytest.raises(FatalError):
            journal.put_studies({"s1": ROW, "s2": broken})
        assert journal.study("s1") is None
