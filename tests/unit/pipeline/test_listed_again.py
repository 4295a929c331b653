"""What a sync reads again beside what has changed, while the archive does not stand still."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deidfhir.config import Settings
from deidfhir.pipeline import listing
from tests.synthetic.objects import equipment

from .test_resync import Archive, archive

__all__ = ["archive"]


def counts(archive: Archive) -> list[int]:
    """Return how many instances each study has on the target."""
    return sorted(one["numberOfInstances"] for one in archive.held()["ImagingStudy.ndjson"])


def test_a_folder_that_was_away_during_a_full_run_is_read_when_it_is_back(
    archive: Archive, tmp_path: Path
) -> None:
    archive.sync()
    (archive.folder / "c").rename(tmp_path / "away")
    archive.sync(full=True)
    assert counts(archive) == [1, 1, 2]
    (tmp_path / "away").rename(archive.folder / "c")
    archive.sync()
    assert counts(archive) == [1, 2, 2]


def test_a_device_that_another_source_states_otherwise_is_stated_again(
    archive: Archive, tmp_path: Path
) -> None:
    stated: dict[str, Any] = {"ContributingEquipmentSequence": [equipment(Manufacturer="A")]}
    archive.put("e/1.dcm", 7, **stated)
    archive.sync()
    device = archive.held()["Device.ndjson"]
    other = replace(
        archive, folder=tmp_path / "other", opened=[], settings=Settings(narrative=False)
    )
    other.put("1.dcm", 8, **stated)
    other.sync()
    assert archive.held()["Device.ndjson"] != device
    archive.sync()
    assert archive.held()["Device.ndjson"] == device


def test_a_folder_is_listed_again_where_it_is_and_not_where_its_name_seems_to_lead(
    archive: Archive, tmp_path: Path
) -> None:
    far = tmp_path / "far"
    (far / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(far / "deep")
    shutil.move(archive.folder, far / "archive")
    archive.folder = Path(f"{tmp_path}/link/../archive")
    archive.sync()
    archive.put("d/1.dcm", 1, 3)
    archive.sync()
    assert counts(archive) == [1, 2, 3]
    archive.sync()
    assert archive.opened == []


def test_a_file_that_a_path_names_is_read_once_beside_what_has_changed(archive: Archive) -> None:
    paths = (archive.folder / "b" / "2.dcm", archive.folder / "c")
    archive.sync(paths=paths)
    archive.put("c/2.dcm", 3, 3)
    run = archive.sync(paths=paths)
    assert (run.work.reading.instances, run.work.findings) == (3, [])


def test_what_goes_while_a_folder_is_listed_again_hides_no_other_file(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGEST", 2)
    for number in range(6):
        archive.put(f"z/{number}.dcm", 20 + number)
    archive.sync()
    # The first slice has changed, and the second one is read again for a study in it.
    archive.put("z/0.dcm", 20, DeidentificationMethod="another")
    archive.put("y/0.dcm", 23, 5)
    listed, seen = listing._listed, []

    def listing_once_more(path: str) -> listing._Folder:
        if path.rstrip("/").endswith("/z"):
            seen.append(path)
            if len(seen) == 2:
                (archive.folder / "z" / "1.dcm").unlink()
        return listed(path)

    monkeypatch.setattr(listing, "_listed", listing_once_more)
    run = archive.sync()
    assert len(seen) > 1
    assert run.report.vanished == 0


def test_a_folder_that_cannot_be_listed_again_makes_the_listing_incomplete(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.sync()
    archive.put("d/1.dcm", 1, 3)
    listed, seen = listing._listed, []

    def listed_once(path: str) -> listing._Folder:
        seen.append(path)
        if path.rstrip("/").endswith("/a") and len(seen) > 4:
            raise PermissionError
        return listed(path)

    monkeypatch.setattr(listing, "_listed", listed_once)
    run = archive.sync()
    assert [one.path for one in run.work.reading.skipped] == [str(archive.folder / "a")]
    assert counts(archive) in ([1, 2, 2], [1, 2, 3])
