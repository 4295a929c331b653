"""What the usual tools pack, in every form that they know, is read as the folder is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.errors import RetriableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import slices
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from tests.synthetic.objects import encode, instance, write, write_bytes
from tests.synthetic.packing import gzip_of, tar_of, zip_of

if TYPE_CHECKING:
    from tests.conftest import Cli

TAR = {
    **{form: [f"--format={form}"] for form in ("gnu", "oldgnu", "pax", "ustar", "v7")},
    "gzip": ["--gzip"],
    "sparse": ["--sparse"],
    "blocks": ["--blocking-factor=64"],
    "label": ["--label=a tape"],
    "incremental": ["--listed-incremental=snapshot"],
    "comment": ["--format=pax", "--pax-option=comment=for all"],
}
ZIP = {"deflated": [], "stored": ["-0"], "streamed": ["-fd"], "zip64": ["-fz"], "best": ["-9"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of objects, one of them in folders whose names are no plain ASCII."""
    for number, name in enumerate(("1.dcm", "b/2", "b/ä ö/3.dcm", "b/empty/4.dcm"), start=1):
        made = instance(number % 2, 1, number, PatientIdentityRemoved="YES")
        write(made, tmp_path / "in" / name)
    write_bytes(b"text", tmp_path / "in" / "README.txt")
    write_bytes(b"", tmp_path / "in" / "none.dcm")
    return tmp_path / "in"


def same(cli: Cli, folder: Path, packed: Path) -> None:
    """Assert that a container is told as its folder."""
    given, expected = (cli("show", one, "--json").report for one in (packed, folder))
    assert given["instances"] == expected["instances"] == 4
    for one in (given, expected):
        assert [skip["code"] for skip in one["skipped"]] == ["file-empty"]
        assert one["foreign"] == 1
    told, wanted = json.dumps(given["studies"]), json.dumps(expected["studies"])
    assert told.replace(f"{packed}/in/", "") == wanted.replace(f"{folder}/", "")


@pytest.mark.parametrize("form", TAR)
def test_what_tar_packs_is_read(cli: Cli, folder: Path, form: str) -> None:
    command = ["tar", *TAR[form], "-cf", "x.tar", "in"]
    subprocess.run(command, cwd=folder.parent, check=True, capture_output=True)
    same(cli, folder, folder.parent / "x.tar")


@pytest.mark.parametrize("form", ZIP)
def test_what_zip_packs_is_read(cli: Cli, folder: Path, form: str) -> None:
    command = ["zip", "-qr", *ZIP[form], "x.zip", "in"]
    subprocess.run(command, cwd=folder.parent, check=True, capture_output=True)
    same(cli, folder, folder.parent / "x.zip")


def test_what_zip_encrypts_is_told(cli: Cli, folder: Path) -> None:
    command = ["zip", "-qr", "-P", "secret", "x.zip", "in"]
    subprocess.run(command, cwd=folder.parent, check=True, capture_output=True)
    ran = cli("show", folder.parent / "x.zip", "--json")
    assert {one["code"] for one in ran.report["skipped"]} >= {"container-encrypted"}
    assert ran.report["instances"] == 0


def test_a_tar_file_to_which_was_added_is_read_to_its_end(cli: Cli, folder: Path) -> None:
    for command in (["-cf", "x.tar", "in/b"], ["-rf", "x.tar", "in/1.dcm"]):
        subprocess.run(["tar", *command], cwd=folder.parent, check=True)
    assert cli("show", folder.parent / "x.tar", "--json").report["instances"] == 4


def test_a_name_that_is_no_text_is_told_in_every_report(cli: Cli, tmp_path: Path) -> None:
    made = encode(instance(1, PatientIdentityRemoved="NO"), "1.2.840.10008.1.2")
    path = write_bytes(tar_of([("\udce4\udcff.dcm", made), ("\udce4", b"")]), tmp_path / "x.tar")
    assert cli("show", path).code == 0
    ran = cli("sync", path, "--to", tmp_path / "fhir", "--json")
    assert ran.code == 3
    assert len(ran.report["refusals"]) == 1
    assert cli("map", path, "--findings", tmp_path / "findings.json").code == 3


@pytest.mark.parametrize("member", ["1.dcm", "note.txt", "bad.dcm"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_run_is_stopped_in_the_midst_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str, *, packed: bool
) -> None:
    """Whatever its members are: a container may take hours."""
    monkeypatch.setattr(slices, "_BEAT", 5)
    made = encode(instance(1, PatientIdentityRemoved="YES"), "1.2.840.10008.1.2")
    data = {"1.dcm": made, "note.txt": b"text", "bad.dcm": b""}[member]
    files = [(f"{number}/{member}", data) for number in range(12)]
    whole = zip_of(files) if packed else gzip_of(tar_of(files))
    path = write_bytes(whole, tmp_path / ("x.zip" if packed else "x.tgz"))
    asked: list[Any] = []

    def stop() -> str:
        asked.append(None)
        return "interrupted"

    with pytest.raises(RetriableError):
        RunOptions(Files((path,)), MappingContext(), stop=stop).read()
    assert len(asked) == 1
