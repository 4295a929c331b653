"""A folder of NDJSON as target: sorted lines, files replaced as a whole, nothing lost."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from deidfhir.errors import FatalError
from deidfhir.sync.folder import KINDS, NdjsonFolder
from deidfhir.web.numbers import Spelled, line_of

Json = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> NdjsonFolder:
    """Return a target whose folder is not there yet."""
    return NdjsonFolder(tmp_path / "out" / "fhir")


def device(identity: str, **more: object) -> Json:
    """Return a Device."""
    return {"resourceType": "Device", "id": identity, **more}


def provenance(identity: str, study: str) -> Json:
    """Return a Provenance of a study."""
    target = [{"reference": f"ImagingStudy/{study}"}]
    return {"resourceType": "Provenance", "id": identity, "target": target}


def written(folder: NdjsonFolder, *puts: Json, deletes: tuple[str, ...] = ()) -> list[str]:
    """Write and flush as a run does, with a target of its own."""
    target = NdjsonFolder(folder.path)
    outcomes = target.write(puts, deletes)
    target.flush()
    return outcomes


def state_of(folder: NdjsonFolder) -> dict[str, tuple[int, int, bytes]]:
    """Return what tells whether a file was rewritten; drafts have a dot before their name."""
    return {
        one.name: (one.stat().st_ino, one.stat().st_mtime_ns, one.read_bytes())
        for one in folder.path.iterdir()
        if not one.name.startswith(".")
    }


def test_each_type_is_one_file_with_one_line_an_id_sorted(folder: NdjsonFolder) -> None:
    study = {"resourceType": "ImagingStudy", "id": "s"}
    outcomes = written(folder, device("b"), device("a"), study, device("c"))
    assert outcomes == ["created", "created", "created", "created"]
    assert sorted(one.name for one in folder.path.iterdir()) == [
        *("Device.ndjson", "ImagingStudy.ndjson"),
    ]
    assert (folder.path / "Device.ndjson").read_bytes() == (
        b'{"resourceType":"Device","id":"a"}\n'
        b'{"resourceType":"Device","id":"b"}\n'
        b'{"resourceType":"Device","id":"c"}\n'
    )


def test_folder_and_files_are_for_the_owner_alone(folder: NdjsonFolder) -> None:
    written(folder, device("a"))
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.path / "Device.ndjson").stat().st_mode) == 0o600


def test_text_beyond_ascii_and_line_ends_in_values_keep_one_line_an_id(
    folder: NdjsonFolder,
) -> None:
    odd = device("a", note="§ 胸部\u2028\n\r\x85")
    written(folder, odd, device("b"))
    content = (folder.path / "Device.ndjson").read_bytes()
    assert content.count(b"\n") == 2
    assert "§ 胸部".encode() in content
    assert NdjsonFolder(folder.path).read("Device", ["a", "b"]) == {"a": odd, "b": device("b")}


def test_the_same_resource_is_always_the_same_bytes() -> None:
    assert line_of(device("a", x=[1, 2])) == '{"resourceType":"Device","id":"a","x":[1,2]}'


def test_files_that_do_not_change_are_not_rewritten(folder: NdjsonFolder) -> None:
    written(folder, device("a"), provenance("p", "s"))
    before = state_of(folder)
    assert written(folder, device("a"), provenance("p", "s")) == ["unchanged", "unchanged"]
    assert state_of(folder) == before
    assert written(folder, device("a", x=1)) == ["updated"]
    after = state_of(folder)
    assert after["Provenance.ndjson"] == before["Provenance.ndjson"]
    assert after["Device.ndjson"] != before["Device.ndjson"]


def test_a_file_is_replaced_as_a_whole_or_not_at_all(
    folder: NdjsonFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, device("a"))
    before = state_of(folder)
    monkeypatch.setattr(os, "fsync", _disk_is_full)
    with pytest.raises(FatalError) as caught:
        written(folder, device("b"))
    assert str(caught.value) == (
        f"the folder cannot be written: {folder.path}; check its permissions and the disk"
    )
    assert state_of(folder) == before


def test_a_run_that_is_interrupted_while_it_writes_leaves_no_half_file(
    folder: NdjsonFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, device("a"))
    before = state_of(folder)
    monkeypatch.setattr(os, "fsync", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(folder, device("b"))
    assert state_of(folder) == before
    monkeypatch.undo()
    written(folder, device("c"))
    assert [one.name for one in folder.path.iterdir()] == ["Device.ndjson"]
    assert set(NdjsonFolder(folder.path).read("Device", ["a", "b", "c"])) == {"a", "c"}


def _disk_is_full(_: int) -> None:
    raise OSError(28, "No space left on device")


def _interrupted(_: int) -> None:
    raise KeyboardInterrupt


def test_what_is_deleted_is_gone_and_deleting_it_again_is_nothing(folder: NdjsonFolder) -> None:
    written(folder, provenance("p", "s"), provenance("q", "s"))
    written(folder, deletes=("Provenance/p",))
    before = state_of(folder)
    assert NdjsonFolder(folder.path).read("Provenance", ["p", "q"]) == {"q": provenance("q", "s")}
    written(folder, deletes=("Provenance/p",))
    assert state_of(folder) == before


def test_the_studies_of_a_folder_are_found_with_what_targets_them(folder: NdjsonFolder) -> None:
    study = {"resourceType": "ImagingStudy", "id": "s"}
    written(folder, study, provenance("p", "s"), provenance("q", "t"), device("d"))
    found = NdjsonFolder(folder.path).find(["s", "t", "u"])
    assert (found["s"].study, found["s"].provenances) == (study, (provenance("p", "s"),))
    assert (found["t"].study, found["t"].provenances) == (None, (provenance("q", "t"),))
    assert (found["u"].study, found["u"].provenances) == (None, ())


def test_an_empty_or_missing_folder_holds_nothing(folder: NdjsonFolder) -> None:
    assert folder.read("Device", ["a"]) == {}
    folder.path.mkdir(parents=True)
    (folder.path / "Device.ndjson").write_bytes(b"\n\n")
    assert NdjsonFolder(folder.path).read("Device", ["a"]) == {}


GARBAGE = {
    "no JSON": b"garbage\n",
    "cut": b'{"resourceType":"Device","id":"a"',
    "list": b"[1]\n",
    "number": b"7\n",
    "null": b"null\n",
    "without id": b'{"resourceType":"Device"}\n',
    "without type": b'{"id":"a"}\n',
    "another type": b'{"resourceType":"Observation","id":"a"}\n',
    "id is no text": b'{"resourceType":"Device","id":[1]}\n',
    "not UTF-8": b'{"resourceType":"Device","id":"\xff"}\n',
    "deep": b"[" * 100_000,
    "binary": b"\0\1\2",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_ours_ends_the_run_and_stays_as_it_is(
    folder: NdjsonFolder, kind: str, content: bytes
) -> None:
    folder.path.mkdir(parents=True)
    file = folder.path / f"{kind}.ndjson"
    file.write_bytes(content.replace(b"Device", kind.encode()))
    before = state_of(folder)
    with pytest.raises(FatalError) as caught:
        written(folder, {"resourceType": kind, "id": "new"})
    assert str(caught.value) == (
        "the folder holds a file that is no NDJSON of FHIR resources, each id once: "
        f"{file}; move it away"
    )
    assert state_of(folder) == before


@pytest.mark.parametrize(
    "line",
    [
        b'{"resourceType":"Provenance","id":"p","target":"x"}\n',
        b'{"resourceType":"Provenance","id":"p","target":[null]}\n',
        b'{"resourceType":"Provenance","id":"p","target":null}\n',
        b'{"resourceType":"Provenance","id":"p","target":[{"reference":7}]}\n',
    ],
)
def test_a_provenance_of_another_form_targets_nothing_or_ends_the_run(
    folder: NdjsonFolder, line: bytes
) -> None:
    folder.path.mkdir(parents=True)
    (folder.path / "Provenance.ndjson").write_bytes(line)
    try:
        assert folder.find(["s"])["s"].provenances == ()
    except FatalError as error:
        assert error.code == "folder-unreadable"


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    target = NdjsonFolder(tmp_path / "file" / "out")
    with pytest.raises(FatalError) as caught:
        target.write([device("a")])
        target.flush()
    assert caught.value.code == "folder-unwritable"


def test_the_stamp_tells_whether_someone_else_changed_the_folder(folder: NdjsonFolder) -> None:
    empty = folder.stamp()
    written(folder, device("a"))
    once = folder.stamp()
    assert once != empty
    assert folder.stamp() == once
    file = folder.path / "Device.ndjson"
    file.write_bytes(file.read_bytes() + json.dumps(device("b")).encode() + b"\n")
    assert folder.stamp() != once


def test_files_of_other_types_in_the_folder_are_left_alone(folder: NdjsonFolder) -> None:
    folder.path.mkdir(parents=True)
    (folder.path / "Observation.ndjson").write_bytes(b"theirs")
    written(folder, device("a"))
    assert (folder.path / "Observation.ndjson").read_bytes() == b"theirs"


def test_a_file_with_two_lines_of_one_id_is_read_by_nobody_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "ImagingStudy.ndjson"
    line = '{"resourceType":"ImagingStudy","id":"a","status":"%s"}\n'
    file.write_text(line % "available" + line % "unknown")
    with pytest.raises(FatalError) as caught:
        NdjsonFolder(tmp_path).read("ImagingStudy", ["a"])
    assert caught.value.code == "folder-unreadable"
    assert len(file.read_text().splitlines()) == 2


def test_what_is_kept_in_memory_does_not_hold_its_text_as_well(folder: NdjsonFolder) -> None:
    folder.write([Spelled(device("a"))])
    assert type(folder.read("Device", ["a"])["a"]) is dict
