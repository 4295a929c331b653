"""Which files are looked at, in which slices, and that each is looked at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deidfhir.model.finding import Finding
from deidfhir.pipeline import listing
from deidfhir.pipeline.listing import Listing, batches


def files(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def listed(*paths: Path) -> list[str]:
    """Return the paths that a listing names, in its order."""
    return [one.prefix + name for one in Listing(paths).slices() for name in one.names]


def test_a_folder_is_listed_before_those_inside_of_it_all_sorted(tmp_path: Path) -> None:
    files(tmp_path, "b/2", "b/1", "a/c/1", "a/1", "0")
    names = ["0", "a/1", "a/c/1", "b/1", "b/2"]
    assert listed(tmp_path) == [str(tmp_path / one) for one in names]


def test_where_paths_overlap_each_file_is_listed_once(tmp_path: Path) -> None:
    files(tmp_path, "a/1", "a/2", "a/b/3")
    folder, file, inside = tmp_path / "a", tmp_path / "a" / "2", tmp_path / "a" / "b"
    for paths in ((folder, file, inside), (inside, file, folder), (file, file, folder, folder)):
        assert sorted(listed(*paths)) == [str(folder / one) for one in ("1", "2", "b/3")]


def test_paths_show_as_the_operator_named_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, "a/1")
    monkeypatch.chdir(tmp_path)
    assert listed(Path()) == ["a/1"]
    assert listed(Path("a")) == listed(Path("a/1")) == ["a/1"]
    assert listed(Path("a/../a")) == ["a/../a/1"]
    (one,) = Listing((Path("a"),)).slices()
    assert one.place == f"{tmp_path}/a/"


def test_a_large_folder_is_cut_into_slices_and_small_ones_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGEST", 3)
    files(tmp_path, *(f"a/{number}" for number in range(7)), "b/0", "c/0", "d/0")
    found = list(Listing((tmp_path,)).slices())
    assert [(one.number, len(one.names)) for one in found] == [
        *((0, 3), (1, 3), (2, 1)),
        *((0, 1), (0, 1), (0, 1)),
    ]
    assert len({one.key for one in found}) == 6
    sizes = [sum(len(one.names) for one in batch) for batch in batches(found, lambda: 3)]
    assert sizes == [3, 3, 3, 1]


def test_a_slice_that_is_listed_again_has_the_names_that_are_there_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGEST", 2)
    files(tmp_path, "a/1", "a/2", "a/3")
    whole = Listing((tmp_path / "a",))
    first, second = whole.slices()
    files(tmp_path, "a/4")
    # What has come is told of by the next listing: here the slice has grown.
    assert whole.again(second).names == ("3",)
    (tmp_path / "a" / "1").unlink()
    assert whole.again(first).names == ("2",)
    assert whole.again(second).names == ("3",)
    (named,) = Listing((tmp_path / "a" / "2",)).slices()
    assert whole.again(named) == named
    assert whole.skipped == []
    shutil.rmtree(tmp_path / "a")
    assert whole.again(first).names == ()
    assert whole.skipped == [Finding("file-unreadable", str(tmp_path / "a"))]
