"""Which files are read, which are skipped for cause, which are only counted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.synthetic.dicomjson import json_object
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

Show = Callable[..., tuple[int, int, dict[str, str], int]]


@pytest.fixture
def show(cli: Cli) -> Show:
    """Return studies, instances, skipped files with their codes, and the number of foreign ones."""

    def shown(*paths: object) -> tuple[int, int, dict[str, str], int]:
        told = cli("show", *paths, "--json").report
        skipped = {Path(one["path"]).name: one["code"] for one in told["skipped"]}
        return len(told["studies"]), told["instances"], skipped, told["foreign"]

    return shown


def made(path: Path, study: int = 1, number: int = 1, **options: Any) -> Path:  # noqa: ANN401
    """Write one object."""
    return write(instance(study, 1, number, PatientIdentityRemoved="YES"), path, **options)


@pytest.mark.parametrize(
    "name", ["1.dcm", "1.DCM", "1.dicom", "1.Dicom", "1", "IM0001", "1.img", ".hidden", "a b.txt"]
)
def test_an_object_is_read_under_any_name(show: Show, tmp_path: Path, name: str) -> None:
    made(tmp_path / "in" / name)
    assert show(tmp_path / "in") == (1, 1, {}, 0)


@pytest.mark.parametrize("name", ["1.dcm", "1"])
@pytest.mark.parametrize("form", [{"preamble": False}, {"meta": False}])
def test_an_object_without_preamble_is_read_under_any_name(
    show: Show, tmp_path: Path, name: str, form: dict[str, bool]
) -> None:
    made(tmp_path / name, **form)
    assert show(tmp_path / name) == (1, 1, {}, 0)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.dcm", b"", "file-empty"),
        ("x.dicom", b"", "file-empty"),
        ("x.json", b"", "file-empty"),
        ("x.DCM", b"just text, and long enough to be looked at", "not-dicom"),
        ("x.dcm", b"\x89PNG\r\n", "not-dicom"),
        ("x", b"\0" * 128 + b"DICM", "not-dicom"),
        ("x.txt", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0", "truncated"),
        ("x.json", b"{", "not-dicom-json"),
        ("x.json", b"{}", "not-dicom-json"),
        ("x.json", b"[]", "not-dicom-json"),
        ("x.json", b"7", "not-dicom-json"),
        ("x.json", b'{"name": "package"}', "not-dicom-json"),
        ("x.json", b"[" * 100_000, "not-dicom-json"),
        ("x.json", b"\xff\xfe", "not-dicom-json"),
    ],
)
def test_what_is_named_or_marked_as_dicom_is_skipped_for_cause(
    show: Show, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    assert show(tmp_path / "in") == (0, 0, {name: code}, 0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.txt", b"text"),
        ("empty", b""),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200),
        ("zeros", b"\0" * 4096),
        ("x.jsonld", b"{}"),
        ("x.dcm.gz", b"\x1f\x8b" + b"\0" * 200),
        ("looks.like", b"\x08\0\x05\0" + b"\xff" * 300),
    ],
)
def test_other_files_are_only_counted(
    show: Show, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    assert show(tmp_path / "in") == (0, 0, {}, 1)


@pytest.mark.parametrize("size", [0, 1, 100, 131, 132, 140, 200, 300, 400])
def test_an_object_that_is_cut_short_is_never_an_object_and_never_foreign(
    show: Show, tmp_path: Path, size: int
) -> None:
    path = made(tmp_path / "x.dcm")
    path.write_bytes(path.read_bytes()[:size])
    studies, instances, skipped, foreign = show(path)
    assert (studies, instances, list(skipped), foreign) == (0, 0, ["x.dcm"], 0)


def test_a_folder_is_walked_to_its_end(show: Show, tmp_path: Path) -> None:
    made(tmp_path / "in" / "1.dcm", 1)
    made(tmp_path / "in" / "a" / "b.dcm" / "c" / "2.dcm", 2)
    assert show(tmp_path / "in") == (2, 2, {}, 0)


def test_json_holds_one_object_or_an_array_and_each_is_told_by_its_number(
    show: Show, tmp_path: Path
) -> None:
    one, two = (json_object(instance(study, PatientIdentityRemoved="YES")) for study in (1, 2))
    (tmp_path / "one.json").write_text(json.dumps(one))
    assert show(tmp_path / "one.json") == (1, 1, {}, 0)
    broken = {tag: value for tag, value in two.items() if tag != "0020000D"}
    (tmp_path / "two.json").write_text(json.dumps([one, broken, two]))
    assert show(tmp_path / "two.json") == (2, 2, {"two.json#2": "no-study-uid"}, 0)


@pytest.mark.parametrize(
    "spelled",
    [
        ("in", "in"),
        ("in", "./in"),
        ("in", "in/"),
        ("in", "in/1.dcm"),
        ("in/1.dcm", "in/1.dcm", "in/2.dcm"),
        ("in", "in/../in"),
        ("in", "{here}/in"),
    ],
)
def test_a_path_that_is_given_twice_is_read_once(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: tuple[str, ...]
) -> None:
    made(tmp_path / "in" / "1.dcm", 1, 1)
    made(tmp_path / "in" / "2.dcm", 1, 2)
    (tmp_path / "in" / "empty.dcm").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    folder = [one.replace("{here}", str(tmp_path)) for one in spelled]
    skipped = {} if spelled[0] == "in/1.dcm" else {"empty.dcm": "file-empty"}
    assert show(*folder) == (1, 2, skipped, 0)


def test_a_path_given_twice_is_the_same_source_as_once(cli: Cli, tmp_path: Path) -> None:
    folder = made(tmp_path / "in" / "1.dcm", 1, 1).parent
    second = made(tmp_path / "in" / "2.dcm", 1, 2)
    to = ("--to", tmp_path / "out")
    assert cli("sync", folder, folder, *to).code == 0
    second.unlink()
    run = cli("sync", folder, *to, "--json")
    assert (run.code, run.report["resources"]["updated"]) == (0, 2)


def test_a_copy_of_an_object_counts_once_and_is_found(cli: Cli, tmp_path: Path) -> None:
    path = made(tmp_path / "in" / "1.dcm")
    shutil.copy(path, tmp_path / "in" / "2.dcm")
    (study,) = cli("show", tmp_path / "in", "--json").report["studies"]
    assert study["instances"] == 1
    assert [one["code"] for one in study["findings"]] == ["duplicate-instance", "method-missing"]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
@pytest.mark.parametrize("name", ["gone.dcm", "gone.dicom", "gone.json"])
def test_a_link_to_nothing_that_is_named_as_dicom_is_skipped_for_cause(
    show: Show, tmp_path: Path, name: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).symlink_to(tmp_path / "nothing")
    assert show(tmp_path / "in") == (0, 0, {name: "file-unreadable"}, 0)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
def test_pipes_and_links_to_folders_never_stop_the_walk(show: Show, tmp_path: Path) -> None:
    folder = made(tmp_path / "in" / "1.dcm").parent
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    assert show(folder)[:2] == (1, 1)


@pytest.mark.parametrize("name", ["1.dcm", "1.json"])
def test_a_file_that_may_not_be_read_is_skipped_for_cause(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = made(tmp_path / "in" / name)
    for holder, function in ((Path, "open"), (os, "open")):
        original = getattr(holder, function)

        def refusing(
            given: Any,  # noqa: ANN401
            *arguments: Any,  # noqa: ANN401
            original: Any = original,  # noqa: ANN401
            **options: Any,  # noqa: ANN401
        ) -> Any:  # noqa: ANN401
            if given in (path, str(path)):
                raise PermissionError(13, "Permission denied", str(path))
            return original(given, *arguments, **options)

        monkeypatch.setattr(holder, function, refusing)
    assert show(tmp_path / "in") == (0, 0, {name: "file-unreadable"}, 0)


def test_a_folder_that_may_not_be_listed_is_skipped_for_cause(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "in" / "1.dcm", 1)
    made(tmp_path / "in" / "closed" / "2.dcm", 2)
    original = os.scandir

    def refusing(path: Any) -> Any:  # noqa: ANN401
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert show(tmp_path / "in") == (1, 1, {"closed": "file-unreadable"}, 0)


@pytest.mark.parametrize("name", ["show", "map", "sync", "verify"])
def test_a_path_that_is_missing_is_told_before_anything_is_read_or_written(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    path = made(tmp_path / "1.dcm")
    to = ("--to", tmp_path / "out") if name in ("sync", "verify") else ()
    run = cli(name, path, tmp_path / "missing", *to)
    assert (run.code, run.out) == (2, "")
    assert not (tmp_path / "out").exists()


def test_the_order_of_the_files_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    files = [made(tmp_path / f"{n}.dcm", 1 + n % 3, n) for n in range(9)]
    assert cli("map", *files).out == cli("map", *reversed(files)).out == cli("map", tmp_path).out
