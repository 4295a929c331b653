"""A server that refuses deletion, on PostgreSQL: statements are overwritten and marked (D18)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import HAS_POSTGRES
from tests.integration.strict import Strict
from tests.integration.support import ASK, Archive, Json, Site, counted, held, only, versions
from tests.synthetic.objects import equipment
from tests.synthetic.samples import write_samples

if TYPE_CHECKING:
    from tests.conftest import Cli, Server

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")
FILTER = equipment(Manufacturer="com.blezek.nifi-dicom", SoftwareVersions="1.0")


@pytest.fixture
def refusing(refusing_server: Server, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site on the server that refuses deletion."""
    del namespace
    return Site(cli, "R4", refusing_server.url, tmp_path / "journal")


def codes(report: Json) -> list[str]:
    """Return the codes of the report's troubles."""
    return [one["finding"]["code"] for one in report["troubles"]]


def withdrawn(resource: Json) -> bool:
    """Whether a Provenance carries the mark of withdrawal."""
    urls = [one["url"] for one in resource["extension"]]
    return [url.rpartition("/")[2] for url in urls] == ["deidentification-withdrawn"]


@pytest.mark.skipif(not HAS_POSTGRES, reason="PostgreSQL comes as a wheel for Linux alone")
def test_on_postgresql_the_samples_arrive_once_and_are_as_stated(
    refusing: Site, tmp_path: Path
) -> None:
    write_samples(tmp_path / "samples")
    assert refusing.sync(tmp_path / "samples").report["resources"] == counted(created=22)
    refusing.journal.unlink()
    assert refusing.sync(tmp_path / "samples").report["resources"] == counted(unchanged=22)
    stated = refusing.stated(tmp_path / "samples")
    assert versions(refusing.url, stated) == dict.fromkeys(stated, "1")
    assert refusing.verify(tmp_path / "samples").report["ok"] == 22


def test_a_step_that_cannot_be_deleted_is_marked_as_withdrawn(
    refusing: Site, archive: Archive
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, FILTER])
    refusing.sync(archive.folder)
    before = only("Provenance", refusing.stated(archive.folder))
    archive.put(1, ContributingEquipmentSequence=[FILTER])
    run = refusing.sync(archive.folder)
    assert (run.code, codes(run.report)) == (3, ["withdrawal-marked"])
    assert run.report["resources"]["deleted"] == 0
    assert run.report["resources"]["failed"] == 0
    gone = set(before) - set(refusing.stated(archive.folder))
    there = held(refusing.url, before)
    assert {name for name, one in there.items() if withdrawn(one)} == gone
    assert len(gone) == 2
    assert refusing.verify(archive.folder).code == 0
    again = refusing.sync(archive.folder)
    assert (again.code, again.report["requests"]) == (0, 0)


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_a_refused_study_is_withdrawn_in_writing_and_stays_so(
    refusing: Site, archive: Archive, journal: str
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    refusing.sync(archive.folder)
    before = refusing.stated(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    run = refusing.sync(archive.folder)
    assert run.code == 3
    assert codes(run.report) == ["claim-withdrawn", "withdrawal-marked"]
    there = held(refusing.url, before)
    (provenance,) = only("Provenance", there).values()
    assert withdrawn(provenance)
    assert set(provenance) <= {
        *("resourceType", "id", "meta", "text", "extension", "target", "_recorded", "agent"),
    }
    (study,) = only("ImagingStudy", there).values()
    assert "extension" not in study
    if journal == "lost":
        refusing.journal.unlink()
    again = refusing.sync(archive.folder)
    assert (again.code, again.report["resources"], again.report["withdrawn"]) == (3, counted(), 0)
    assert held(refusing.url, before) == there


def test_a_statement_that_is_made_again_after_its_withdrawal_starts_anew(
    refusing: Site, archive: Archive
) -> None:
    archive.put(1)
    refusing.sync(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    refusing.sync(archive.folder)
    archive.put(1)
    assert refusing.sync(archive.folder).code == 0
    (provenance,) = only("Provenance", held(refusing.url, refusing.stated(archive.folder))).values()
    assert not withdrawn(provenance)
    assert provenance["recorded"] > "2020"


def test_a_dry_run_cannot_know_that_deletion_is_refused_but_writes_nothing(
    refusing: Site, archive: Archive
) -> None:
    archive.put(1)
    refusing.sync(archive.folder)
    stated = refusing.stated(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    run = refusing.sync(archive.folder, "--dry-run")
    assert (run.code, run.report["resources"]) == (3, counted(updated=1, deleted=1))
    assert versions(refusing.url, stated) == dict.fromkeys(stated, "1")


def test_a_step_to_which_someone_else_refers_is_marked_as_withdrawn(
    site: Site, archive: Archive
) -> None:
    archive.put(1)
    site.sync(archive.folder)
    (name,) = only("Provenance", site.stated(archive.folder))
    note = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": name}}
    answer = requests.post(f"{site.url}/Basic", json=note, headers=ASK, timeout=60)
    answer.raise_for_status()
    archive.put(1, PatientIdentityRemoved="NO")
    run = site.sync(archive.folder)
    assert (run.code, codes(run.report)) == (3, ["claim-withdrawn", "withdrawal-marked"])
    assert withdrawn(held(site.url, [name])[name])
    again = site.sync(archive.folder)
    assert (again.report["requests"], codes(again.report)) == (0, [])


def test_who_may_write_and_not_delete_has_the_withdrawal_marked(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, FILTER])
    archive.put(2)
    with Strict(r4_site.url) as strict:
        site = r4_site.to(strict.url)
        site.sync(archive.folder)
        before = only("Provenance", site.stated(archive.folder))
        strict.rule = lambda sent: 403 if any("DELETE" in one for one in sent.entries) else 0
        archive.put(1, ContributingEquipmentSequence=[FILTER])
        archive.put(2, DeidentificationMethod="another")
        run = site.sync(archive.folder)
        assert (run.code, codes(run.report)) == (3, ["withdrawal-marked"])
        gone = set(before) - set(site.stated(archive.folder))
        assert {name for name, one in held(site.url, gone).items() if withdrawn(one)} == gone
        assert site.verify(archive.folder).code == 0
        strict.rule = lambda sent: 403 if sent.method == "POST" else 0
        archive.put(2, DeidentificationMethod="a third")
        assert site.sync(archive.folder).code == 1
