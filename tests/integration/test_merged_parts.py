"""Parts of a study, from wherever and in whatever order, end as one run over all of them (D19)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.sync.comparing import comparable
from tests.integration.support import (
    Archive,
    Json,
    Site,
    held,
    name_of,
    only,
    put,
    search,
    versions,
)
from tests.synthetic.objects import codes, equipment

if TYPE_CHECKING:
    from tests.integration.relay import Relay

DESCRIBED = codes("113100", "113105", "113106", "113108")
BARE = codes("113100")
ITEM = {"Manufacturer": "PixelMed", "ManufacturerModelName": "Tool"}


def differing(archive: Archive) -> list[Path]:
    """Write a study of six instances in two series whose markers differ; return their paths."""

    def one(series: int, number: int, **attributes: Any) -> Path:  # noqa: ANN401
        facts = {
            "PatientID": "SUBJ-1",
            "PatientSex": "F",
            "StudyDate": "20200101",
            "StudyTime": "101500",
            "TimezoneOffsetFromUTC": "+0100",
            "StudyDescription": "CT CHEST",
            "SeriesDescription": f"SERIES {series}",
            "SeriesNumber": str(series),
            "InstanceNumber": str(number),
        }
        return archive.put(1, number, series=series, **(facts | attributes))

    dated = equipment(**ITEM, ContributionDateTime="20200101120000")
    later = equipment(**ITEM, ContributionDateTime="20200102120000")
    return [
        one(1, 1, DeidentificationMethodCodeSequence=DESCRIBED, DeidentificationMethod="tool 1"),
        one(1, 2, DeidentificationMethodCodeSequence=DESCRIBED, DeidentificationMethod="tool 1"),
        one(1, 3, DeidentificationMethodCodeSequence=DESCRIBED, DeidentificationMethod="tool 2"),
        one(2, 1, ContributingEquipmentSequence=[dated], DeidentificationMethodCodeSequence=BARE),
        one(2, 2, ContributingEquipmentSequence=[later], DeidentificationMethodCodeSequence=BARE),
        one(2, 3, SeriesDescription="OTHER", BurnedInAnnotation="NO"),
    ]


def on_server(site: Site, stated: dict[str, Json]) -> dict[str, str]:
    """Return what the server holds in the places of some resources, as it is compared."""
    return {name: comparable(one) for name, one in held(site.url, stated).items()}


def is_as_one_run_over(site: Site, *paths: object) -> bool:
    """Whether the server holds just what one run over some paths would have stated."""
    stated = site.stated(*paths)
    study = next(iter(only("ImagingStudy", stated)))
    expected = {name: comparable(one) for name, one in stated.items()}
    return on_server(site, stated) == expected and on_server(site, stated).keys() == {
        *only("Device", stated),
        *only("Patient", stated),
        study,
        *provenances(site, study),
    }


def provenances(site: Site, study: str) -> list[str]:
    """Return every Provenance that the server holds for a study."""
    return [name_of(one) for one in search(site.url, f"Provenance?target={study}&_count=50")]


@pytest.fixture(autouse=True)
def patients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for Patient resources."""
    monkeypatch.setenv("DEIDFHIR_PATIENT", "resource")


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 3, 0, 4, 2, 1)])
@pytest.mark.parametrize("journals", ["one journal", "a journal each"])
def test_one_object_at_a_time(
    site: Site, archive: Archive, tmp_path: Path, order: tuple[int, ...], journals: str
) -> None:
    paths = differing(archive)

    def of(number: int) -> Site:
        each = journals == "a journal each"
        return replace(site, journal=tmp_path / f"journal {number}") if each else site

    for number in order:
        run = of(number).sync(paths[number])
        assert (run.code, run.report["refused"]) == (0, 0)
    assert is_as_one_run_over(site, archive.folder)
    stated = site.stated(archive.folder)
    before = versions(site.url, stated)
    for number in order:
        assert of(number).sync(paths[number]).code == 0
    assert site.sync(archive.folder).code == 0
    assert site.verify(archive.folder).code == 0
    assert versions(site.url, stated) == before


def test_two_folders_in_turn_and_then_the_folder_above_them_once_a_file_is_gone(
    site: Site, archive: Archive
) -> None:
    first, second = archive.folder / "a", archive.folder / "b"
    for number, path in enumerate(differing(archive)):
        folder = second if number % 2 else first
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    for folder in (first, second, first, second):
        assert site.sync(folder).code == 0
    assert is_as_one_run_over(site, first, second)
    stated = site.stated(first, second)
    before = versions(site.url, stated)
    for folder in (first, second):
        run = site.sync(folder)
        assert (run.code, run.report["requests"]) == (0, 0)
        assert site.verify(folder).code == 0
    assert versions(site.url, stated) == before
    (second / "1-2-3.dcm").unlink()
    assert site.verify(archive.folder).code == 3
    assert site.sync(archive.folder).code == 0
    assert is_as_one_run_over(site, archive.folder)
    assert site.verify(archive.folder).code == 0


def test_a_folder_takes_away_what_it_lost_and_leaves_what_the_other_delivered(
    site: Site, archive: Archive
) -> None:
    first, second = archive.folder / "a", archive.folder / "b"
    for folder, numbers in ((first, (1, 2)), (second, (3, 4))):
        folder.mkdir(parents=True)
        for number in numbers:
            archive.put(1, number).rename(folder / f"{number}.dcm")
        assert site.sync(folder).code == 0
    (first / "1.dcm").unlink()
    assert site.verify(first).code == 3
    run = site.sync(first)
    assert (run.code, run.report["resources"]["updated"]) == (0, 2)
    assert is_as_one_run_over(site, first, second)
    assert site.verify(first).code == 0


def test_a_dry_run_over_a_part_says_what_the_run_then_does(site: Site, archive: Archive) -> None:
    paths = differing(archive)
    assert site.sync(*paths[:3]).code == 0
    foreseen = site.sync(*paths[3:], "--dry-run")
    assert site.verify(*paths[3:]).code == 3
    done = site.sync(*paths[3:])
    assert (foreseen.code, done.code) == (0, 0)
    assert foreseen.report["resources"] == done.report["resources"]
    assert foreseen.report["resources"]["updated"] > 0
    assert site.verify(*paths[3:]).code == 0


def test_what_someone_else_writes_meanwhile_is_not_lost(
    site: Site, archive: Archive, relay: Relay, tmp_path: Path
) -> None:
    paths = differing(archive)
    other = replace(site, journal=tmp_path / "other")
    assert site.sync(paths[0]).code == 0
    # Two sites of one namespace: a run of one would wait for the other's lease on the same URL.
    relay.before_write = lambda: other.sync(paths[1], paths[4])
    run = site.to(relay.url).sync(paths[3])
    assert run.code == 1  # the journal is of the server's URL, not of the relay's
    through = replace(site.to(relay.url), journal=tmp_path / "through")
    run = through.sync(paths[3])
    assert run.code == 0
    assert relay.before_write is None
    assert is_as_one_run_over(site, paths[0], paths[1], paths[3], paths[4])


@pytest.mark.parametrize("resource", ["ImagingStudy", "Provenance"])
def test_what_someone_has_edited_is_never_taken_for_a_statement(
    r4_site: Site, archive: Archive, resource: str
) -> None:
    paths = differing(archive)
    assert r4_site.sync(paths[0]).code == 0
    stated = r4_site.stated(paths[0])
    ((name, edited),) = held(r4_site.url, only(resource, stated)).items()
    if resource == "ImagingStudy":
        edited["note"] = [{"text": "seen"}]
    else:
        edited["occurredDateTime"] = "2020-01-01"
    put(r4_site.url, edited)
    run = r4_site.sync(paths[1])
    assert run.code == 3
    assert [one["finding"]["code"] for one in run.report["troubles"]] == ["partial-study"]
    assert versions(r4_site.url, [name]) == {name: "2"}
    assert r4_site.sync(paths[0], paths[1]).code == 0
    assert is_as_one_run_over(r4_site, paths[0], paths[1])


def test_a_part_that_is_not_removed_makes_the_study_mixed_as_in_one_run(
    site: Site, archive: Archive
) -> None:
    yes = archive.put(1, 1)
    no = archive.put(1, 2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    accept = ("--accept", "removed,mixed")
    assert site.sync(yes, *accept).code == 0
    run = site.sync(no, *accept)
    assert (run.code, run.report["refusals"]) == (0, [])
    assert on_server(site, site.stated(archive.folder, *accept)) == {
        name: comparable(one) for name, one in site.stated(archive.folder, *accept).items()
    }
    refusing = site.sync(no)
    assert (refusing.code, refusing.report["withdrawn"]) == (3, 1)
    study = next(iter(only("ImagingStudy", site.stated(archive.folder, *accept))))
    assert provenances(site, study) == []


def test_parts_that_are_accepted_alone_are_withdrawn_together_where_mixed_is_not_accepted(
    site: Site, archive: Archive
) -> None:
    yes = archive.put(1, 1)
    no = archive.put(1, 2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    accept = ("--accept", "removed,not-removed")
    assert site.sync(yes, *accept).code == 0
    run = site.sync(no, *accept)
    assert (run.code, run.report["withdrawn"]) == (3, 1)
    assert [one["verdict"] for one in run.report["refusals"]] == ["mixed"]
    study = next(iter(only("ImagingStudy", site.stated(yes))))
    assert provenances(site, study) == []
