"""What a sync opens of containers that it has read before, and what it takes for vanished."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deidfhir.pipeline import several
from deidfhir.pipeline.runs import SyncRun
from tests.synthetic.dicomjson import json_object
from tests.synthetic.objects import encode, instance, write_bytes
from tests.synthetic.packing import gzip_of, tar_of, zip_of

from .test_resync import Archive, archive, told

__all__ = ["archive"]

Objects = dict[str, tuple[int, int]]
"""Name of a member → its study and its number."""


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which containers are opened."""
    names: list[str] = []
    take_file = several.take_file

    def taking(kind: str, file: Any, *more: Any) -> None:  # noqa: ANN401
        names.append(Path(file.path).name)
        take_file(kind, file, *more)

    monkeypatch.setattr(several, "take_file", taking)
    return names


def objects(members: Objects, **stated: Any) -> list[tuple[str, bytes]]:  # noqa: ANN401
    given = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool", **stated}
    return [
        (name, encode(instance(study, 1, number, **given), "1.2.840.10008.1.2"))
        for name, (study, number) in members.items()
    ]


def counts(archive: Archive) -> list[int]:
    """Return how many instances each study has on the target, and -1 for a retired one."""
    studies = archive.held()["ImagingStudy.ndjson"]
    return [
        -1 if one["status"] == "unknown" else one["numberOfInstances"]
        for one in sorted(studies, key=lambda one: one["identifier"][0]["value"])
    ]


def test_a_container_that_is_as_it_was_is_not_opened(archive: Archive, taken: list[str]) -> None:
    write_bytes(zip_of(objects({"1": (10, 1), "2": (10, 2)})), archive.folder / "x.zip")
    write_bytes(gzip_of(tar_of(objects({"1": (11, 1)}))), archive.folder / "b" / "y.tgz")
    line = json.dumps(json_object(instance(12, PatientIdentityRemoved="YES")))
    write_bytes(line.encode(), archive.folder / "b" / "z.ndjson")
    first = archive.sync()
    assert taken == ["x.zip", "y.tgz", "z.ndjson"]
    held = archive.held()
    second = archive.sync()
    assert taken == ["x.zip", "y.tgz", "z.ndjson"]
    assert archive.opened == []
    assert told(second) == told(first)
    assert archive.held() == held


def test_of_many_containers_only_the_one_that_has_changed_is_opened(
    archive: Archive, taken: list[str]
) -> None:
    for number in range(10, 14):
        data = zip_of(objects({"1": (number, 1)}))
        write_bytes(data, archive.folder / f"{number}.zip")
    archive.sync()
    taken.clear()
    write_bytes(zip_of(objects({"1": (11, 1), "2": (11, 2)})), archive.folder / "11.zip")
    archive.put("new.dcm", 20)
    archive.sync()
    assert taken == ["11.zip"]
    assert archive.opened == ["new.dcm"]
    assert sorted(counts(archive)) == [1, 1, 1, 1, 1, 2, 2, 2]


def test_containers_that_share_a_study_are_opened_together(
    archive: Archive, taken: list[str]
) -> None:
    write_bytes(zip_of(objects({"1": (10, 1)})), archive.folder / "x.zip")
    write_bytes(tar_of(objects({"1": (10, 2)})), archive.folder / "y.tar")
    archive.sync()
    taken.clear()
    write_bytes(zip_of(objects({"1": (10, 1), "3": (10, 3)})), archive.folder / "x.zip")
    archive.sync()
    assert sorted(taken) == ["x.zip", "y.tar"]
    assert 3 in counts(archive)


def test_what_is_told_of_a_member_names_its_container_where_that_is_not_opened_again(
    archive: Archive,
) -> None:
    """The journal holds no path, and what a container holds is not listed without opening it."""
    refused = objects({"a/1": (10, 1)}, PatientIdentityRemoved="NO")
    path = write_bytes(zip_of(refused), archive.folder / "x.zip")
    first, second = archive.sync(), archive.sync()
    assert [one.path for one in first.work.refusals] == [f"{path}/a/1"]
    assert [one.path for one in second.work.refusals] == [str(path)]
    assert first.exit_code == second.exit_code == 3


def test_a_study_that_its_container_no_longer_holds_is_retired_and_revived(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "x.zip"
    whole = zip_of(objects({"1": (10, 1), "2": (11, 1), "3": (12, 1), "4": (12, 2)}))
    write_bytes(whole, path)
    archive.sync(paths=(path,))
    assert counts(archive) == [1, 1, 2]
    write_bytes(zip_of(objects({"2": (11, 1), "3": (12, 1)})), path)
    run = archive.sync(paths=(path,))
    assert counts(archive) == [-1, 1, 1]
    assert run.report.vanished == 1
    write_bytes(whole, path)
    archive.sync(paths=(path,))
    assert counts(archive) == [1, 1, 2]


def skipped(run: SyncRun) -> list[str]:
    return [one.code for one in run.work.reading.skipped]


def test_a_container_that_broke_makes_nothing_vanish(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    whole = tar_of(objects({"1": (10, 1), "2": (10, 2), "3": (11, 1)}))
    write_bytes(whole, path)
    archive.sync(paths=(path,))
    for data in (whole[:4000], b"", b"x"):
        write_bytes(data, path)
        run = archive.sync(paths=(path,))
        assert skipped(run) in (["container-damaged"], ["file-empty"])
        assert counts(archive) == [2, 1]
        assert run.exit_code == 3


def test_a_member_that_broke_keeps_its_instance_and_one_that_went_does_not(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "x.zip"
    files = objects({"1": (10, 1), "2": (10, 2), "3": (10, 3), "4": (11, 1), "5": (11, 2)})
    files.append(("broken.dcm", b""))
    write_bytes(zip_of(files), path)
    archive.sync(paths=(path,))
    assert counts(archive) == [3, 2]
    # One more breaks beside the one that was known to be broken: any instance may be in it.
    files[1] = ("2", files[1][1][:200])
    del files[4]
    write_bytes(zip_of(files), path)
    run = archive.sync(paths=(path,))
    assert skipped(run) == ["truncated", "file-empty"]
    assert counts(archive) == [3, 2]
    # What is whole again vanishes when it goes.
    files[1:2] = objects({"2": (10, 2)})
    write_bytes(zip_of(files), path)
    archive.sync(paths=(path,))
    assert counts(archive) == [3, 1]


def test_a_container_beside_others_that_broke_holds_up_no_other_study(archive: Archive) -> None:
    path = write_bytes(zip_of(objects({"1": (10, 1)})), archive.folder / "x.zip")
    archive.sync()
    assert counts(archive) == [2, 1, 1, 2]
    path.write_bytes(path.read_bytes()[:-5])
    (archive.folder / "c" / "1.dcm").unlink()
    archive.sync()
    assert counts(archive) == [2, 1, 1, 1]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_container_is_read_back_as_it_was_stated(
    archive: Archive, tmp_path: Path, method: int
) -> None:
    from deidfhir.mapping.context import MappingContext  # noqa: PLC0415
    from deidfhir.pipeline.files import Files  # noqa: PLC0415
    from deidfhir.pipeline.options import RunOptions  # noqa: PLC0415
    from deidfhir.pipeline.targets import TargetOptions  # noqa: PLC0415
    from deidfhir.pipeline.verifying import run_verify  # noqa: PLC0415

    path = write_bytes(zip_of(objects({"1": (10, 1)}), method), tmp_path / "x.zip")
    archive.sync(paths=(path,))
    where = TargetOptions(str(archive.to), archive.to / "journal")
    options = RunOptions(Files((path,)), MappingContext("R4", archive.settings))
    assert run_verify(options, where).exit_code == 0
    write_bytes(zip_of(objects({"1": (10, 1), "2": (11, 1)}), method), path)
    assert run_verify(options, where).exit_code == 3


def test_a_container_that_was_never_whole_keeps_what_it_gives_less_of(
    archive: Archive, tmp_path: Path
) -> None:
    """What was damaged before explains nothing else that is missing now."""
    whole = tar_of(objects({"1": (10, 1), "2": (10, 2), "3": (11, 1), "4": (12, 1)}))
    path = tmp_path / "x.tar"
    ends = [whole.rindex(b"ustar") - 257 + 10]
    ends += [whole.rindex(b"ustar", 0, ends[-1] - 10) - 257 + 10 for _ in "12"]
    write_bytes(whole[: ends[0]], path)
    for _ in range(2):
        assert archive.sync(paths=(path,)).exit_code == 3
        assert counts(archive) == [2, 1]
    for end in (ends[1], ends[1]):
        write_bytes(whole[:end], path)
        for _ in range(2):
            run = archive.sync(paths=(path,))
            assert run.exit_code == 3
            assert counts(archive) == [2, 1]
    write_bytes(whole, path)
    assert archive.sync(paths=(path,)).exit_code == 0
    assert counts(archive) == [2, 1, 1]
