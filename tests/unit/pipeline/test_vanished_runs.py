"""What whole runs make of studies that are no longer there: into a folder, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

Json = dict[str, Any]
FATES = ("vanished", "retired", "deleted", "revived")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Give a folder of three studies, one of them in a folder of its own."""
    for study in (1, 2):
        put(tmp_path / "archive", study)
    put(tmp_path / "archive" / "inside", 3)
    return tmp_path / "archive"


def put(folder: Path, study: int) -> Path:
    """Write a study of one object."""
    stated: Json = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool"}
    return write(instance(study, **stated, PatientID="P"), folder / f"{study}.dcm")


@pytest.fixture
def sync(cli: Cli, tmp_path: Path) -> Any:  # noqa: ANN401 - a function of some arguments
    """Run sync into a folder, and return exit code, fates and codes of troubles."""

    def run(*arguments: object) -> tuple[int, tuple[int, ...], list[str]]:
        ran: Ran = cli("sync", *arguments, "--to", tmp_path / "fhir", "--json")
        codes = [one["finding"]["code"] for one in ran.report["troubles"]]
        return ran.code, tuple(ran.report[one] for one in FATES), codes

    return run


def held(tmp_path: Path, kind: str) -> list[Json]:
    """Return what the folder holds of one type."""
    text = (tmp_path / "fhir" / f"{kind}.ndjson").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_study_in_a_folder_is_retired_and_revived(
    sync: Any,  # noqa: ANN401
    archive: Path,
    tmp_path: Path,
) -> None:
    assert sync(archive) == (0, (0, 0, 0, 0), [])
    before = held(tmp_path, "ImagingStudy"), held(tmp_path, "Provenance")
    (archive / "1.dcm").unlink()
    assert sync(archive, "--dry-run") == (3, (1, 1, 0, 0), ["study-vanished"])
    assert sync(archive) == (3, (1, 1, 0, 0), ["study-vanished"])
    states = sorted(one["status"] for one in held(tmp_path, "ImagingStudy"))
    assert states == ["available", "available", "unknown"]
    assert held(tmp_path, "Provenance") == before[1]
    assert sync(archive) == (0, (0, 0, 0, 0), [])
    put(archive, 1)
    assert sync(archive) == (0, (0, 0, 0, 1), [])
    assert (held(tmp_path, "ImagingStudy"), held(tmp_path, "Provenance")) == before


def test_a_study_in_a_folder_is_deleted_with_its_patient(
    sync: Any,  # noqa: ANN401
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEIDFHIR_PATIENT", "resource")
    monkeypatch.setenv("DEIDFHIR_VANISHED", "delete")
    sync(archive)
    (archive / "1.dcm").unlink()
    assert sync(archive) == (3, (1, 0, 1, 0), ["study-vanished"])
    assert [len(held(tmp_path, kind)) for kind in ("ImagingStudy", "Patient", "Provenance")] == [
        *(2, 2, 2),
    ]
    put(archive, 1)
    assert sync(archive) == (0, (0, 0, 0, 1), [])
    assert len(held(tmp_path, "Patient")) == 3


def test_what_was_synced_of_a_part_of_the_archive_vanishes_with_the_archive(
    sync: Any,  # noqa: ANN401
    archive: Path,
) -> None:
    sync(archive / "inside")
    sync(archive / "1.dcm")
    sync(archive)
    (archive / "inside" / "3.dcm").unlink()
    (archive / "1.dcm").unlink()
    assert sync(archive)[:2] == (3, (2, 2, 0, 0))


def test_a_part_of_the_archive_alone_makes_nothing_vanish_that_the_whole_claims(
    sync: Any,  # noqa: ANN401
    archive: Path,
) -> None:
    put(archive / "inside", 4)
    sync(archive)
    sync(archive / "inside")
    (archive / "inside" / "3.dcm").unlink()
    assert sync(archive / "inside") == (0, (0, 0, 0, 0), [])
    assert sync(archive)[1] == (1, 1, 0, 0)


def test_the_same_folder_given_twice_is_not_taken_for_an_empty_one(
    sync: Any,  # noqa: ANN401
    archive: Path,
) -> None:
    places = (archive, archive / "inside")
    sync(*places)
    (archive / "1.dcm").unlink()
    assert sync(*places) == (3, (1, 1, 0, 0), ["study-vanished"])


def test_a_file_beside_the_folders_keeps_all_as_it_is(
    sync: Any,  # noqa: ANN401
    archive: Path,
    tmp_path: Path,
) -> None:
    places = (archive, put(tmp_path, 9))
    sync(*places)
    (archive / "1.dcm").unlink()
    assert sync(*places) == (0, (0, 0, 0, 0), [])


def test_a_target_that_someone_restored_is_retired_again(
    sync: Any,  # noqa: ANN401
    archive: Path,
    tmp_path: Path,
) -> None:
    sync(archive)
    studies = tmp_path / "fhir" / "ImagingStudy.ndjson"
    backup = studies.read_bytes()
    (archive / "1.dcm").unlink()
    sync(archive)
    retired = studies.read_bytes()
    studies.write_bytes(backup)
    code, fates, codes = sync(archive)
    assert (code, fates, codes) == (0, (0, 0, 0, 0), [])
    assert studies.read_bytes() == retired


def test_the_report_for_people_says_what_vanished_and_came_back(
    cli: Cli, archive: Path, tmp_path: Path
) -> None:
    to = ("--to", tmp_path / "fhir")
    cli("sync", archive, *to)
    (archive / "1.dcm").unlink()
    out = cli("sync", archive, *to).out
    assert "vanished  1 (1 retired)" in out.splitlines()
    assert "is no longer in any source" in out
    put(archive, 1)
    assert "revived   1" in cli("sync", archive, *to).out.splitlines()


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "9999999999"])
def test_only_a_number_of_studies_confirms(cli: Cli, archive: Path, number: str) -> None:
    run = cli("sync", archive, "--to", "x", "--confirm-vanished", number)
    assert (run.code, "--confirm-vanished" in run.err) == (2, True)
