"""What changed in the archive changes on the server, and what is no longer stated goes (D18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.support import (
    Archive,
    Site,
    counted,
    held,
    only,
    put,
    status_of,
    versions,
)
from tests.synthetic.objects import codes, equipment

if TYPE_CHECKING:
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")
FILTER = equipment(Manufacturer="com.blezek.nifi-dicom", SoftwareVersions="1.0")
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


def test_only_the_study_of_a_changed_object_is_sent(
    site: Site, archive: Archive, relay: Relay
) -> None:
    for study in (1, 2, 3):
        archive.put(study, 1, ContributingEquipmentSequence=[CLEANER])
        archive.put(study, 2, ContributingEquipmentSequence=[CLEANER])
    site = site.to(relay.url)
    assert site.sync(archive.folder).report["resources"] == counted(created=7)
    before = len(relay.writes)
    archive.put(2, 1, DeidentificationMethod="tool 2", ContributingEquipmentSequence=[CLEANER])
    archive.put(2, 2, DeidentificationMethod="tool 2", ContributingEquipmentSequence=[CLEANER])
    run = site.sync(archive.folder)
    assert run.code == 0
    assert run.report["resources"] == counted(updated=2, unchanged=5)
    assert [one.entries for one in relay.writes[before:]] == [
        ["PUT ImagingStudy", "PUT Provenance"]
    ]
    stated = site.stated(archive.folder)
    changed = {name for name, version in versions(site.url, stated).items() if version != "1"}
    assert changed == set(site.stated(archive.folder / "2-1-1.dcm")) - set(only("Device", stated))
    assert set(versions(site.url, changed).values()) == {"2"}


def test_a_new_instance_is_added_to_its_study(r4_site: Site, archive: Archive) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    archive.put(1, 2)
    run = r4_site.sync(archive.folder)
    assert run.code == 0
    (study,) = only("ImagingStudy", held(r4_site.url, r4_site.stated(archive.folder))).values()
    assert [one["uid"] for one in study["series"][0]["instance"]] == [
        archive.uid(1, 1, 1),
        archive.uid(1, 1, 2),
    ]


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_a_step_that_is_no_longer_stated_is_deleted_and_its_device_stays(
    site: Site, archive: Archive, journal: str
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, FILTER])
    site.sync(archive.folder)
    before = site.stated(archive.folder)
    assert len(only("Provenance", before)) == 3
    archive.put(1, ContributingEquipmentSequence=[FILTER])
    if journal == "lost":
        site.journal.unlink()
    run = site.sync(archive.folder)
    after = site.stated(archive.folder)
    assert run.code == 0
    assert run.report["resources"]["deleted"] == 2
    gone = set(only("Provenance", before)) - set(only("Provenance", after))
    assert {name: status_of(site.url, name) for name in gone} == dict.fromkeys(gone, 410)
    assert set(only("Device", held(site.url, before))) == set(only("Device", before))
    assert site.verify(archive.folder).code == 0
    assert site.sync(archive.folder).report["requests"] == 0


@pytest.mark.parametrize(
    ("state", "journal"), [("NO", "kept"), (None, "lost")], ids=["NO", "absent, journal lost"]
)
def test_a_verdict_no_longer_accepted_withdraws_the_statements_loudly_and_once(
    site: Site, archive: Archive, state: str | None, journal: str
) -> None:
    put_much(archive)
    archive.put(2)
    site.sync(archive.folder)
    before = site.stated(archive.folder)
    untouched = site.stated(archive.folder / "2-1-1.dcm")
    withdrawn = set(before) - set(untouched)
    archive.put(1, PatientIdentityRemoved=state, DeidentificationMethod=None)
    if journal == "lost":
        site.journal.unlink()
    run = site.sync(archive.folder)
    assert run.code == 3
    assert run.report["withdrawn"] == 1
    assert [one["finding"]["code"] for one in run.report["troubles"]] == ["claim-withdrawn"]
    (provenance,) = only("Provenance", {name: {} for name in withdrawn})
    assert status_of(site.url, provenance) == 410
    assert set(only("Device", held(site.url, before))) == set(only("Device", before))
    assert versions(site.url, untouched) == dict.fromkeys(untouched, "1")
    again = site.sync(archive.folder)
    assert (again.code, again.report["requests"], again.report["withdrawn"]) == (3, 0, 0)
    assert again.report["troubles"] == []
    assert site.verify(archive.folder).report["drifted"] == 0


def put_much(archive: Archive) -> None:
    """Write an object whose codes let its date and description leave."""
    archive.put(
        1,
        StudyDate="20200102",
        StudyDescription="CT CHEST",
        DeidentificationMethodCodeSequence=codes("113105", "113106"),
        ContributingEquipmentSequence=[CLEANER],
    )


def test_of_a_withdrawn_study_uids_and_counts_are_left(site: Site, archive: Archive) -> None:
    put_much(archive)
    site.sync(archive.folder)
    stated = site.stated(archive.folder)
    (study,) = only("ImagingStudy", held(site.url, stated)).values()
    assert (study["started"], study["description"]) == ("2020-01-02", "CT CHEST")
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    site.sync(archive.folder)
    (study,) = only("ImagingStudy", held(site.url, stated)).values()
    assert set(study) == {
        *("resourceType", "id", "meta", "text", "identifier", "status", "modality", "subject"),
        *("numberOfSeries", "numberOfInstances", "series"),
    }
    assert set(study["subject"]) == {"extension", "type", "display"}
    assert set(study["series"][0]) == {"uid", "number", "modality", "numberOfInstances", "instance"}
    assert set(study["series"][0]["instance"][0]) == {"uid", "sopClass", "number"}
    assert study["identifier"] == [
        {"system": "urn:dicom:uid", "value": f"urn:oid:{archive.uid(1)}"}
    ]


def test_a_narrower_gate_withdraws_what_a_wider_one_let_through(
    site: Site, archive: Archive
) -> None:
    archive.put(1, PatientIdentityRemoved=None)
    archive.put(2)
    assert site.sync(archive.folder, "--accept", "all").code == 0
    run = site.sync(archive.folder)
    assert (run.code, run.report["withdrawn"]) == (3, 1)
    assert run.report["resources"] == counted(updated=1, unchanged=2)
    again = site.sync(archive.folder, "--accept", "all")
    assert (again.code, again.report["resources"]) == (0, counted(updated=1, unchanged=2))


def test_a_withdrawal_is_told_loudly_to_people(r4_site: Site, archive: Archive) -> None:
    path = archive.put(1)
    r4_site.sync(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    where = ("--to", r4_site.url, "--journal", r4_site.journal)
    run = r4_site.cli("sync", archive.folder, *where)
    assert (
        f"          - {path}: the study was stated before and is no longer accepted: "
        "its statements are withdrawn" in run.out.splitlines()
    )


def test_a_study_of_someone_else_with_the_same_uid_is_left_alone_when_ours_is_refused(
    r4_site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    theirs = r4_site.stated(archive.folder)
    monkeypatch.setenv("DEIDFHIR_NAMESPACE", "https://tests.example/another-site")
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    other = Site(r4_site.cli, "R4", r4_site.url, archive.folder.parent / "other-journal")
    run = other.sync(archive.folder)
    assert run.code == 3
    assert run.report["withdrawn"] == 0
    assert versions(r4_site.url, theirs) == dict.fromkeys(theirs, "1")


def test_a_provenance_of_someone_else_is_never_deleted(r4_site: Site, archive: Archive) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    (study,) = only("ImagingStudy", r4_site.stated(archive.folder))
    theirs = archive.uid(1).replace(".", "-")
    note = {
        "resourceType": "Provenance",
        "id": theirs,
        "target": [{"reference": study}],
        "recorded": "2020-01-01T00:00:00Z",
        "agent": [{"who": {"display": "another system"}}],
    }
    put(r4_site.url, note)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    assert r4_site.sync(archive.folder).report["withdrawn"] == 1
    assert versions(r4_site.url, [f"Provenance/{theirs}"]) == {f"Provenance/{theirs}": "1"}


def test_a_label_that_is_set_comes_and_one_that_is_taken_away_really_goes(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.put(1)
    monkeypatch.setenv("DEIDFHIR_LABEL", "PSEUDED")
    site.sync(archive.folder)
    assert labels(site, archive) == [[(OBSERVATION_VALUE, "PSEUDED")]]
    monkeypatch.setenv("DEIDFHIR_LABEL", "none")
    assert site.sync(archive.folder).report["resources"] == counted(updated=1, unchanged=1)
    assert labels(site, archive) == [[]]
    assert site.verify(archive.folder).code == 0


def test_a_label_that_the_data_no_longer_support_goes(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_LABEL", "ANONYED")
    archive.put(1)
    site.sync(archive.folder)
    assert labels(site, archive) == [[(OBSERVATION_VALUE, "ANONYED")]]
    archive.put(1, DeidentificationMethodCodeSequence=codes("113100", "113110"))
    assert site.sync(archive.folder).code == 0
    assert labels(site, archive) == [[]]
    archive.put(1)
    site.sync(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO")
    assert site.sync(archive.folder).report["withdrawn"] == 1
    assert labels(site, archive) == [[]]


def labels(site: Site, archive: Archive) -> list[list[tuple[str, str]]]:
    """Return the security labels of each study on the server."""
    stated = site.stated(archive.folder, "--accept", "all")
    studies = only("ImagingStudy", held(site.url, stated))
    return [
        [(label["system"], label["code"]) for label in one["meta"].get("security", ())]
        for one in studies.values()
    ]
