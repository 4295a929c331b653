"""A DICOMDIR as PATH: the files that it names, those that are missing, and others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.uid import CTImageStorage

from deidfhir.pipeline.listing import Listing
from tests.synthetic.media import NEEDED, records, write_media
from tests.synthetic.objects import instance, put, write, write_bytes

from .test_resync import Archive, archive

if TYPE_CHECKING:
    from tests.conftest import Cli

__all__ = ["archive"]


def made(study: int, number: int = 1, **stated: Any) -> Any:  # noqa: ANN401
    given = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool", **NEEDED}
    return instance(study, 1, number, **given | stated)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give the DICOMDIR of two studies, one of two objects."""
    objects = [made(1, 1), made(1, 2), made(2)]
    return write_media(objects, tmp_path / "media", tmp_path / "source")


def files(directory: Path) -> list[Path]:
    """Return the files of a file-set but its DICOMDIR."""
    return sorted(one for one in directory.parent.rglob("*") if one.is_file() and one != directory)


def changed(directory: Path, number: int, **stated: Any) -> None:  # noqa: ANN401
    """Change a record of a file, in place."""
    found = records(directory)
    of_files = [one for one in found.DirectoryRecordSequence if "ReferencedFileID" in one]
    put(of_files[number], **stated)
    found.save_as(directory)


def test_the_files_that_a_dicomdir_names_are_read(cli: Cli, directory: Path) -> None:
    ran = cli("map", directory)
    assert ran.code == 0
    assert (
        ran.out
        == cli("map", directory.parent).out
        == cli("map", directory.parent / "PT000000", directory.parent / "PT000001").out
    )
    assert ran.out.count("\n") == 2


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir"])
def test_in_a_folder_a_dicomdir_is_passed_over(cli: Cli, directory: Path, name: str) -> None:
    directory.rename(directory.with_name(name))
    told = cli("show", directory.parent, "--json").report
    assert (told["instances"], told["skipped"], told["foreign"]) == (3, [], 1)


def test_a_file_that_is_missing_and_one_that_is_not_named_are_told(
    cli: Cli, directory: Path
) -> None:
    gone = files(directory)[1]
    gone.unlink()
    extra = write(made(9), directory.parent / "EXTRA" / "IM1")
    write_bytes(b"text", directory.parent / "README.TXT")
    write_bytes(b"no object", directory.parent / "x.dcm")
    ran = cli("sync", directory, "--to", directory.parent.parent / "fhir", "--json", "--dry-run")
    assert [(one["code"], one["path"]) for one in ran.report["skips"]] == [
        ("dicomdir-file-missing", str(gone))
    ]
    found = ran.report["findings"]
    assert found == 2
    assert (ran.report["instances"], ran.report["foreign"], ran.code) == (2, 1, 3)
    listing = Listing((directory,))
    list(listing.slices())
    assert [one.path for one in listing.findings] == [
        str(directory.parent / "x.dcm"),
        str(extra),
    ]
    assert {one.code for one in listing.findings} == {"dicomdir-file-extra"}


@pytest.mark.parametrize(
    "parts",
    [
        ["..", "secret"],
        ["PT000000", "..", "..", "secret"],
        ["/etc/passwd"],
        ["Doe^Jane"],
        ["PT000000"],
        ["."],
        ["A/B"],
    ],
)
def test_no_record_leads_out_of_the_file_set_nor_shows_what_is_no_file_id(
    cli: Cli, directory: Path, parts: list[str]
) -> None:
    write(made(8), directory.parent.parent / "secret")
    changed(directory, 0, ReferencedFileID=tuple(parts))
    told = cli("show", directory, "--json").report
    (skip,) = told["skipped"]
    assert (told["instances"], skip["code"]) == (2, "dicomdir-file-missing")
    if parts == ["PT000000"]:
        assert skip["path"] == str(directory.parent / "PT000000")
    else:
        assert skip["path"] == f"{directory}#4"


def test_a_disk_that_changed_the_case_of_names_is_read(cli: Cli, directory: Path) -> None:
    for one in files(directory):
        one.rename(one.with_name(one.name.lower()))
    for folder in sorted(directory.parent.rglob("*"), reverse=True):
        if folder.is_dir():
            folder.rename(folder.with_name(folder.name.lower()))
    directory = directory.rename(directory.with_name("dicomdir"))
    told = cli("show", directory, "--json").report
    assert (told["instances"], told["skipped"]) == (3, [])


def test_a_record_that_is_not_in_use_names_no_file_and_none_below_it_does(
    cli: Cli, directory: Path
) -> None:
    found = records(directory)
    for one in found.DirectoryRecordSequence:
        if one.DirectoryRecordType == "STUDY":
            one.RecordInUseFlag = 0
            break
    found.save_as(directory)
    assert cli("show", directory, "--json").report["instances"] == 1


def test_two_records_of_one_file_count_once(cli: Cli, directory: Path) -> None:
    first = files(directory)[0].relative_to(directory.parent)
    changed(directory, 1, ReferencedFileID=first.parts)
    assert cli("show", directory, "--json").report["instances"] == 2


@pytest.mark.parametrize("form", ["empty", "text", "cut", "object"])
def test_a_dicomdir_that_is_none_is_skipped_for_cause(cli: Cli, directory: Path, form: str) -> None:
    data = directory.read_bytes()
    directory.write_bytes({"empty": b"", "text": b"text", "cut": data[:400]}.get(form, b""))
    if form == "object":
        write(made(1), directory)
    ran = cli("show", directory, "--json")
    assert [(one["code"], one["path"]) for one in ran.report["skipped"]] == [
        ("dicomdir-damaged", str(directory))
    ]
    assert (ran.report["instances"], ran.code) == (0, 3)


def test_a_dicomdir_that_may_not_be_opened_is_skipped_for_cause(
    cli: Cli, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "refused")

    monkeypatch.setattr("pydicom.dcmread", refused)
    (skip,) = cli("show", directory, "--json").report["skipped"]
    assert skip["code"] == "file-unreadable"


def test_without_records_there_are_no_files(cli: Cli, directory: Path) -> None:
    found = records(directory)
    found.DirectoryRecordSequence = []
    found.save_as(directory)
    assert cli("show", directory, "--json").report["instances"] == 0


def test_a_dicomdir_beside_folders_reads_each_file_once(cli: Cli, directory: Path) -> None:
    write(made(9), directory.parent / "EXTRA" / "IM1")
    for paths in ((directory, directory.parent), (directory.parent, directory)):
        assert cli("show", *paths, "--json").report["instances"] == 4
    single = files(directory)[1]
    assert cli("show", single, directory, "--json").report["instances"] == 3


def test_a_file_set_that_is_as_it_was_is_not_opened(archive: Archive, directory: Path) -> None:
    archive.folder = directory.parent
    assert len(archive.sync(paths=(directory,)).work.findings) == 0
    assert archive.sync(paths=(directory,)).work.reading.instances == 3
    assert archive.opened == []
    changed_file = files(directory)[0]
    write(made(1, 1, DeidentificationMethod="another"), changed_file)
    write(made(9), changed_file.with_name("EXTRA"))
    run = archive.sync(paths=(directory,))
    assert run.work.reading.instances == 3
    assert len(archive.opened) == 2  # those of its study, and nothing that nobody names


def test_what_a_dicomdir_no_longer_names_vanishes_and_what_is_missing_does_not(
    archive: Archive, directory: Path
) -> None:
    archive.sync(paths=(directory,))
    study = files(directory)[2]
    shutil.move(study, study.with_name("AWAY"))
    run = archive.sync(paths=(directory,))
    assert run.report.vanished == 0
    found = records(directory)
    kept = [one for one in found.DirectoryRecordSequence if "2" not in one.get("PatientID", "")]
    found.DirectoryRecordSequence = [
        one for one in kept if one.get("ReferencedFileID", ["PT000000"])[0] == "PT000000"
    ]
    found.save_as(directory)
    run = archive.sync(paths=(directory,))
    assert run.report.vanished == 1


def test_an_empty_medium_is_hollow(archive: Archive, directory: Path) -> None:
    """As a folder without any object: nothing vanishes unless someone says so."""
    archive.sync(paths=(directory,))
    for one in files(directory):
        one.unlink()
    run = archive.sync(paths=(directory,))
    assert (run.report.vanished, run.work.reading.hollow) == (0, True)


def test_the_class_of_an_object_is_no_directory(directory: Path) -> None:
    from deidfhir.dicom.directory import is_directory  # noqa: PLC0415

    assert is_directory(directory.read_bytes())
    assert not is_directory(files(directory)[0].read_bytes())
    assert not is_directory(b"")
    assert not is_directory(bytes(128) + b"DICM" + CTImageStorage.encode())


@pytest.mark.parametrize("left", [0.3, 0.5, 0.9, 0.999])
def test_a_dicomdir_that_is_cut_off_takes_nothing_away(
    archive: Archive, directory: Path, left: float
) -> None:
    assert archive.sync(paths=(directory,)).exit_code == 0
    held = archive.held()
    whole = directory.read_bytes()
    directory.write_bytes(whole[: int(len(whole) * left)])
    for _ in range(2):
        run = archive.sync(paths=(directory,))
        assert [one.code for one in run.work.reading.skipped] == ["dicomdir-damaged"]
        assert archive.held() == held


@pytest.mark.parametrize("element", [b"\x04\x00\x10\x14", b"\x04\x00\x00\x15"])
def test_a_dicomdir_with_a_broken_record_is_told_of(
    cli: Cli, directory: Path, element: bytes
) -> None:
    whole = directory.read_bytes()
    at = whole.index(element) + len(element) + 1  # in its Value Representation
    directory.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    run = cli("show", directory, "--json")
    assert run.code == 3
    assert [one["code"] for one in run.report["skipped"]] == ["dicomdir-damaged"]


def test_a_dicomdir_that_is_a_pipe_holds_up_nothing(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "DICOMDIR")
    run = cli("show", tmp_path / "DICOMDIR", "--json")
    assert (run.code, [one["code"] for one in run.report["skipped"]]) == (3, ["dicomdir-damaged"])
