"""verify reads back and compares: ok, missing, drifted; what must not be there drifts too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.support import Archive, Site, delete, held, only, put, versions
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")


@pytest.fixture
def synced(site: Site, archive: Archive) -> dict[str, dict[str, object]]:
    """Sync two studies and return what the server has: two studies, two Provenance, a Device."""
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    archive.put(2, ContributingEquipmentSequence=[CLEANER])
    assert site.sync(archive.folder).code == 0
    return held(site.url, site.stated(archive.folder))


def told(report: dict[str, object]) -> tuple[object, object, object]:
    """Return the counts ok, missing and drifted."""
    return report["ok"], report["missing"], report["drifted"]


@pytest.mark.parametrize("journal", ["kept", "lost"])
@pytest.mark.usefixtures("synced")
def test_a_server_as_it_was_left_is_ok_and_nothing_is_written(
    site: Site, archive: Archive, relay: Relay, journal: str
) -> None:
    if journal == "lost":
        site.journal.unlink()
        run = site.to(relay.url).verify(archive.folder)
        assert relay.writes == []
        assert not site.journal.exists()
    else:
        run = site.verify(archive.folder)
    assert (run.code, told(run.report)) == (0, (5, 0, 0))
    assert run.report["differences"] == []


@pytest.mark.parametrize("kind", ["ImagingStudy", "Provenance"])
def test_what_was_deleted_on_the_server_is_missing(
    site: Site, archive: Archive, synced: dict[str, dict[str, object]], kind: str
) -> None:
    (study,) = only("ImagingStudy", site.stated(archive.folder / "1-1-1.dcm"))
    (provenance,) = only("Provenance", site.stated(archive.folder / "1-1-1.dcm"))
    delete(site.url, provenance)
    if kind == "ImagingStudy":
        delete(site.url, study)
    run = site.verify(archive.folder)
    gone = {provenance, study} if kind == "ImagingStudy" else {provenance}
    assert (run.code, told(run.report)) == (3, (5 - len(gone), len(gone), 0))
    assert {(one["resource"], one["state"]) for one in run.report["differences"]} == {
        (name, "missing") for name in gone
    }
    assert {one["path"] for one in run.report["differences"]} == {str(archive.folder / "1-1-1.dcm")}
    assert len(synced) == 5


def test_what_was_changed_on_the_server_has_drifted(
    site: Site, archive: Archive, synced: dict[str, dict[str, object]]
) -> None:
    drifted = set()
    for kind, key, value in (
        ("ImagingStudy", "description", "not ours"),
        ("Provenance", "activity", {"text": "not ours"}),
        ("Device", "manufacturer", "not ours"),
    ):
        name, resource = sorted(only(kind, synced).items())[0]
        put(site.url, {**resource, key: value})
        drifted.add(name)
    run = site.verify(archive.folder)
    assert (run.code, told(run.report)) == (3, (2, 0, 3))
    assert {(one["resource"], one["state"]) for one in run.report["differences"]} == {
        (name, "drifted") for name in drifted
    }


def test_a_tag_or_label_that_someone_added_has_drifted(r4_site: Site, archive: Archive) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    ((_, study),) = only("ImagingStudy", held(r4_site.url, r4_site.stated(archive.folder))).items()
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"}
    put(r4_site.url, {**study, "meta": {"security": [{**label, "code": "ANONYED"}]}})
    assert told(r4_site.verify(archive.folder).report) == (1, 0, 1)


def test_another_instant_of_recording_is_no_drift(r4_site: Site, archive: Archive) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    provenances = only("Provenance", held(r4_site.url, r4_site.stated(archive.folder)))
    ((name, provenance),) = provenances.items()
    put(r4_site.url, {**provenance, "recorded": "2001-01-01T00:00:00Z"})
    assert versions(r4_site.url, [name]) == {name: "2"}
    run = r4_site.verify(archive.folder)
    assert (run.code, told(run.report)) == (0, (2, 0, 0))


def test_an_archive_that_changed_since_has_drifted(r4_site: Site, archive: Archive) -> None:
    archive.put(1)
    r4_site.sync(archive.folder)
    archive.put(1, DeidentificationMethod="tool 2")
    run = r4_site.verify(archive.folder)
    assert (run.code, told(run.report)) == (3, (0, 0, 2))


def test_a_step_that_nothing_states_any_more_has_drifted(r4_site: Site, archive: Archive) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, equipment(Manufacturer="other")])
    r4_site.sync(archive.folder)
    before = only("Provenance", r4_site.stated(archive.folder))
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    gone = set(before) - set(r4_site.stated(archive.folder))
    run = r4_site.verify(archive.folder)
    assert run.code == 3
    assert gone <= {one["resource"] for one in run.report["differences"]}
    assert len(gone) == 2


def test_a_study_that_must_not_be_stated_but_is_has_drifted(site: Site, archive: Archive) -> None:
    archive.put(1)
    site.sync(archive.folder)
    stated = set(site.stated(archive.folder))
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    run = site.verify(archive.folder)
    assert (run.code, told(run.report)) == (3, (0, 0, 2))
    assert {one["resource"] for one in run.report["differences"]} == stated


def test_a_refused_study_alone_is_3_and_nothing_of_it_is_missing(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    run = r4_site.verify(archive.folder)
    assert (run.code, told(run.report), run.report["refused"]) == (3, (0, 0, 0), 1)


def test_a_server_that_has_nothing_misses_everything(r4_site: Site, archive: Archive) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    run = r4_site.verify(archive.folder)
    assert (run.code, told(run.report)) == (3, (0, 3, 0))


def test_sync_repairs_what_verify_found_once_the_journal_is_gone(
    site: Site, archive: Archive, synced: dict[str, dict[str, object]]
) -> None:
    ((name, _),) = only("Provenance", site.stated(archive.folder / "1-1-1.dcm")).items()
    delete(site.url, name)
    site.journal.unlink()
    assert site.sync(archive.folder).report["resources"]["created"] == 1
    assert site.verify(archive.folder).code == 0
    assert name in synced
