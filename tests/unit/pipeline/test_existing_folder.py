"""A folder of NDJSON that holds someone else's ImagingStudy is treated as a server is (D21)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.errors import RetriableError
from deidfhir.sync.folder import NdjsonFolder
from deidfhir.sync.journal import Journal
from tests.synthetic.objects import codes, instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

UID = "1.2.826.0.1.3680043.8.498.62.1"
BEFORE = (
    '{"resourceType":"ImagingStudy","id":"pacs-1","meta":{"tag":[{"code":"x"}]},'
    '"extension":[{"url":"https://pacs.example/a","valueDecimal":1.10}],'
    f'"identifier":[{{"system":"urn:dicom:uid","value":"urn:oid:{UID}"}}],'
    '"own":{"kept":0.250},"status":"available","subject":{"display":"someone"}}\n'
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Write one object that says that its UIDs were replaced."""
    made = instance(
        1,
        PatientIdentityRemoved="YES",
        DeidentificationMethod="tool 1.0",
        DeidentificationMethodCodeSequence=codes("113100"),
    )
    write(made, tmp_path / "in" / "1.dcm")
    return tmp_path / "in"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with someone else's ImagingStudy."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ImagingStudy.ndjson").write_text(BEFORE)
    return tmp_path / "out"


def run(cli: Cli, archive: Path, folder: Path, mode: str, name: str = "sync") -> dict[str, Any]:
    """Return the report of a run."""
    return cli(name, archive, "--to", folder, "--existing", mode, "--json").report


def provenances(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "Provenance.ndjson").read_text().splitlines()
    return [json.loads(one) for one in lines]


def test_link_leaves_the_file_as_it_is(cli: Cli, archive: Path, folder: Path) -> None:
    report = run(cli, archive, folder, "link")
    assert (report["exit_code"], report["existing"]["linked"]) == (0, 1)
    assert (folder / "ImagingStudy.ndjson").read_text() == BEFORE
    (one,) = provenances(folder)
    assert one["target"][0]["reference"] == "ImagingStudy/pacs-1"
    assert run(cli, archive, folder, "link")["resources"]["unchanged"] == 1
    assert run(cli, archive, folder, "link", "verify")["exit_code"] == 0


def test_enrich_is_withdrawn_to_the_last_letter(cli: Cli, archive: Path, folder: Path) -> None:
    assert run(cli, archive, folder, "enrich")["existing"]["enriched"] == 1
    enriched = (folder / "ImagingStudy.ndjson").read_text()
    assert '"valueDecimal":1.10' in enriched
    assert "deidentification-instances" in enriched
    assert run(cli, archive, folder, "enrich", "verify")["exit_code"] == 0
    moved = run(cli, archive, folder, "link")
    assert [one["finding"]["code"] for one in moved["troubles"]] == ["existing-moved"]
    assert (folder / "ImagingStudy.ndjson").read_text() == BEFORE


def test_the_report_tells_people(cli: Cli, archive: Path, folder: Path) -> None:
    run(cli, archive, folder, "own")
    lines = cli("sync", archive, "--to", folder, "--existing", "enrich").out.splitlines()
    assert "existing  1 enriched (--existing enrich)" in lines
    assert any("stated in another way than before" in one for one in lines)


def test_a_mode_that_is_none_is_told(cli: Cli, archive: Path, folder: Path) -> None:
    ran = cli("sync", archive, "--to", folder, "--existing", "replace")
    assert ran.code == 2


@pytest.mark.parametrize("change", [(a, b) for a in ("link", "enrich") for b in ("delete", "own")])
def test_a_first_write_that_nobody_acknowledged_is_found_again(
    cli: Cli, archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    mode, fate = change
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "acknowledge", _goes_down)
        assert run(cli, archive, folder, mode)["exit_code"] == 5
    assert provenances(folder)
    write(instance(2, StudyInstanceUID=f"{UID}.2", PatientIdentityRemoved="YES"), archive / "2.dcm")
    if fate == "delete":
        (archive / "1.dcm").unlink()
        cli("sync", archive, "--to", folder, "--existing", mode, "--vanished", "delete", "--json")
    else:
        run(cli, archive, folder, "own")
    lines = (folder / "ImagingStudy.ndjson").read_text().splitlines(keepends=True)
    assert BEFORE in lines
    targets = {each["reference"] for one in provenances(folder) for each in one["target"]}
    assert targets
    assert "ImagingStudy/pacs-1" not in targets


def _goes_down(*_: object) -> None:
    raise RetriableError("journal-busy", path="j")


def test_a_change_to_another_of_theirs_that_nobody_acknowledged_leaves_nothing_on_the_first(
    cli: Cli, archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(cli, archive, folder, "enrich")
    path = folder / "ImagingStudy.ndjson"
    first = path.read_text()
    other = BEFORE.replace("pacs-1", "pacs-2")
    path.write_text(first.replace(f'{UID}"', f'{UID}.9"') + other)
    with monkeypatch.context() as broken:
        broken.setattr(NdjsonFolder, "flush", _goes_down)
        assert run(cli, archive, folder, "enrich")["exit_code"] == 5
    report = run(cli, archive, folder, "enrich")
    assert report["existing"]["enriched"] == 1, report["troubles"]
    assert path.read_text().splitlines(keepends=True)[0] == BEFORE.replace(f'{UID}"', f'{UID}.9"')
    assert run(cli, archive, folder, "own")["existing"]["owned"] == 1
    assert other in path.read_text().splitlines(keepends=True)


def test_what_an_earlier_policy_stated_of_a_part_is_found_without_the_journal(
    cli: Cli, archive: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_TARGET_DEIDENTIFIED", "true")
    # The first by its UID states nothing, so that the others' Provenance has another place.
    write(instance(1, PatientIdentityRemoved="NO"), archive / "1.dcm")
    stating = instance(
        number=2,
        PatientIdentityRemoved="YES",
        DeidentificationMethodCodeSequence=codes("113100"),
    )
    write(stating, archive / "2.dcm")
    to = ("--to", folder, "--existing", "link", "--journal", tmp_path / "j", "--json")
    cli("sync", archive, *to, "--accept", "removed,mixed,not-removed")
    (one,) = provenances(folder)
    assert one["target"][0]["reference"] == "ImagingStudy/pacs-1"
    (tmp_path / "j").unlink()
    cli("sync", archive, *to)
    assert provenances(folder) == []


@pytest.mark.parametrize("mode", ["link", "enrich"])
def test_what_their_owner_lists_later_is_not_stated_and_does_not_hold_back_what_was_read(
    cli: Cli, archive: Path, folder: Path, mode: str
) -> None:
    path = folder / "ImagingStudy.ndjson"
    theirs = json.loads(BEFORE)
    theirs["series"] = [{"uid": f"{UID}.1", "instance": [{"uid": f"{UID}.1.1"}]}]
    path.write_text(json.dumps(theirs) + "\n")
    assert run(cli, archive, folder, mode)["exit_code"] == 0
    assert provenances(folder)[0]["target"] == [
        {"reference": "ImagingStudy/pacs-1", "type": "ImagingStudy"}
    ]
    theirs = json.loads(path.read_text())
    theirs["series"][0]["instance"].append({"uid": f"{UID}.1.2"})
    path.write_text(json.dumps(theirs) + "\n")
    report = run(cli, archive, folder, mode)
    assert (report["exit_code"], report["troubles"]) == (0, [])
    # A statement about the whole would be one about what nobody has read.
    (target,) = provenances(folder)[0]["target"]
    assert [one["valueString"] for one in target["extension"]] == [
        f"ImagingStudy.series.where(uid = '{UID}.1').instance.where(uid = '{UID}.1.1')"
    ]
    assert run(cli, archive, folder, mode, "verify")["exit_code"] == 0
    again = run(cli, archive, folder, mode)
    assert (again["exit_code"], again["resources"]["updated"]) == (0, 0)
