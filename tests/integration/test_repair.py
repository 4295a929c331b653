"""verify --repair sends again what differs, and nothing else; verify alone writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.support import (
    Archive,
    Json,
    Site,
    counted,
    delete,
    held,
    only,
    put,
    status_of,
    versions,
)
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")


def told(report: Json) -> tuple[int, int, int, int]:
    """Return the counts ok, missing, drifted and vanished."""
    return report["ok"], report["missing"], report["drifted"], report["vanished"]


def states(report: Json) -> set[tuple[str, str]]:
    """Return reference and state of every difference."""
    return {(one["resource"], one["state"]) for one in report["differences"]}


@pytest.fixture
def synced(site: Site, archive: Archive) -> dict[str, Json]:
    """Sync three studies and return what the server has."""
    for study in (1, 2, 3):
        archive.put(study, ContributingEquipmentSequence=[CLEANER])
    assert site.sync(archive.folder).code == 0
    return held(site.url, site.stated(archive.folder))


def test_what_was_deleted_or_edited_is_restored_with_one_version_and_nothing_else_is_touched(
    site: Site, archive: Archive, synced: dict[str, Json], relay: Relay
) -> None:
    (lost,) = only("Provenance", site.stated(archive.folder / "1-1-1.dcm"))
    (edited,) = only("ImagingStudy", site.stated(archive.folder / "2-1-1.dcm"))
    (device,) = only("Device", synced)
    delete(site.url, lost)
    put(site.url, {**synced[edited], "description": "not ours"})
    put(site.url, {**synced[device], "manufacturer": "not ours"})
    theirs = {"resourceType": "Provenance", "target": [{"reference": edited}]}
    theirs |= {"id": f"{device[7:30]}-theirs", "recorded": "2020-01-01T00:00:00Z"}
    theirs |= {"agent": [{"who": {"display": "another system"}}]}
    put(site.url, theirs)

    relayed = site.to(relay.url)
    relayed.journal.rename(site.journal.with_suffix(".kept"))
    alone = relayed.verify(archive.folder)
    assert (alone.code, relay.writes, alone.report["repair"]) == (3, [], None)
    site.journal.with_suffix(".kept").rename(site.journal)

    run = site.verify(archive.folder, "--repair")
    assert run.code == 0
    assert told(run.report) == (len(synced) - 3, 1, 2, 0)
    repair = run.report["repair"]
    assert told(repair) == (len(synced), 0, 0, 0)
    assert repair["resources"]["created"] + repair["resources"]["updated"] == 3
    assert versions(site.url, synced) == {
        **dict.fromkeys(synced, "1"),
        **dict.fromkeys((lost, edited, device), "3"),
    }
    assert versions(site.url, [f"Provenance/{theirs['id']}"]) == {f"Provenance/{theirs['id']}": "1"}
    # Its first statement was then, whoever deleted it.
    assert held(site.url, [lost])[lost]["recorded"] == synced[lost]["recorded"]
    again = site.verify(archive.folder, "--repair")
    assert (again.code, again.report["repair"]) == (0, None)
    assert site.sync(archive.folder).report["requests"] == 0


def test_a_statement_that_nothing_states_any_more_is_deleted_by_a_repair(
    site: Site, archive: Archive
) -> None:
    other = equipment(Manufacturer="other")
    archive.put(1, ContributingEquipmentSequence=[CLEANER, other])
    site.sync(archive.folder)
    before = held(site.url, site.stated(archive.folder))
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    site.sync(archive.folder)
    now = site.stated(archive.folder)
    gone = set(only("Provenance", before)) - set(now)
    assert gone
    for name in gone:
        put(site.url, before[name])  # someone restores it
    run = site.verify(archive.folder, "--repair")
    assert states(run.report) == {(name, "drifted") for name in gone}
    assert run.code == 0
    assert {status_of(site.url, name) for name in gone} == {410}


@pytest.mark.usefixtures("synced")
def test_a_study_that_vanished_and_still_stands_is_named_and_retired_by_a_repair(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    (study,) = only("ImagingStudy", site.stated(archive.folder / "3-1-1.dcm"))
    (archive.folder / "3-1-1.dcm").rename(tmp_path / "3.dcm")
    run = site.verify(archive.folder)
    assert (run.code, states(run.report)) == (3, {(study, "vanished")})
    assert versions(site.url, [study]) == {study: "1"}
    assert site.verify(archive.folder, "--vanished", "keep").code == 0
    run = site.verify(archive.folder, "--repair")
    assert run.report["repair"]["retired"] == 1
    assert held(site.url, [study])[study]["status"] == "unknown"
    assert site.verify(archive.folder).code == 0


@pytest.mark.usefixtures("synced")
def test_what_was_retired_and_is_current_again_is_named_and_retired_again(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    own = site.stated(archive.folder / "3-1-1.dcm")
    (study,) = only("ImagingStudy", own)
    provenance = min(only("Provenance", own))
    (archive.folder / "3-1-1.dcm").rename(tmp_path / "3.dcm")
    site.sync(archive.folder)
    assert site.verify(archive.folder).code == 0
    retired = held(site.url, [study])[study]
    put(site.url, {**retired, "status": "available"})
    run = site.verify(archive.folder)
    assert (run.code, states(run.report)) == (3, {(study, "drifted")})
    run = site.verify(archive.folder, "--repair")
    assert (run.code, told(run.report["repair"])[1:]) == (0, (0, 0, 0))
    assert versions(site.url, [study]) == {study: "4"}
    delete(site.url, provenance)
    assert states(site.verify(archive.folder).report) == {(provenance, "missing")}


@pytest.mark.usefixtures("synced")
def test_what_was_deleted_and_stands_again_is_named_and_deleted_again(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    own = site.stated(archive.folder / "3-1-1.dcm")
    (study,) = only("ImagingStudy", own)
    before = held(site.url, own)
    (archive.folder / "3-1-1.dcm").rename(tmp_path / "3.dcm")
    site.sync(archive.folder, "--vanished", "delete")
    assert site.verify(archive.folder, "--vanished", "delete").code == 0
    put(site.url, before[study])
    assert states(site.verify(archive.folder).report) == {(study, "drifted")}
    run = site.verify(archive.folder, "--repair", "--vanished", "delete")
    assert run.code == 0
    assert status_of(site.url, study) == 410


def test_a_repair_says_what_it_did(r4_site: Site, archive: Archive, cli: Cli) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    (name,) = only("Provenance", r4_site.stated(archive.folder))
    delete(r4_site.url, name)
    where = ("--to", r4_site.url, "--journal", r4_site.journal)
    lines = cli("verify", archive.folder, *where).out.splitlines()
    assert "compared  1 ok, 1 missing, 0 drifted" in lines
    assert "          to send them again, add --repair" in lines
    run = cli("verify", archive.folder, *where, "--repair")
    assert run.code == 0
    assert "repaired  1 created, 1 unchanged" in run.out.splitlines()
    assert "then      2 ok, 0 missing, 0 drifted" in run.out.splitlines()


def test_a_folder_is_repaired_too(cli: Cli, archive: Archive, tmp_path: Path) -> None:
    archive.put(1)
    archive.put(2)
    where = ("--to", tmp_path / "folder", "--json")
    cli("sync", archive.folder, *where)
    provenances = tmp_path / "folder" / "Provenance.ndjson"
    whole = provenances.read_text()
    provenances.write_text(whole.splitlines(keepends=True)[0])
    run = cli("verify", archive.folder, *where, "--repair")
    assert (run.code, told(run.report["repair"])) == (0, (4, 0, 0, 0))
    assert run.report["repair"]["resources"] == counted(created=1, unchanged=3)
    assert provenances.read_text() == whole
