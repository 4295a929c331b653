"""The main scenarios on servers that give ids themselves, and on another implementation of FHIR."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.integration.support import ASK, Archive, Json, Site, counted, search
from tests.synthetic.objects import equipment
from tests.synthetic.samples import write_samples

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

TAG = "https://deidfhir.example/fhir/resource-id"
CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")
FILTER = equipment(Manufacturer="com.blezek.nifi-dicom", SoftwareVersions="1.0")
KINDS = ("Device", "ImagingStudy", "Provenance")


@dataclass(frozen=True)
class DialectSite(Site):
    """A site on a server, with the options that say how to speak to it."""

    options: tuple[str, ...] = ()
    by_tag: bool = True

    def _run(self, name: str, *arguments: object) -> Ran:
        more = self.options if name in ("sync", "verify") else ()
        return super()._run(name, *arguments, *more)

    def there(self, stated: dict[str, Json]) -> dict[str, Json]:
        """Return what the server has of some resources of ours, by our reference."""
        found: dict[str, Json] = {}
        for name in stated:
            kind, _, identity = name.partition("/")
            query = f"_tag={TAG}|{identity}" if self.by_tag else f"_id={identity}"
            for one in search(self.url, f"{kind}?{query}"):
                assert name not in found, "doubled"
                found[name] = one
        return found

    def versions(self, stated: dict[str, Json]) -> dict[str, str]:
        """Return which version the server has of some resources of ours."""
        return {name: one["meta"]["versionId"] for name, one in self.there(stated).items()}

    def with_options(self, *options: str) -> DialectSite:
        """Return the same site, spoken to in another way."""
        return replace(self, options=options)


def _hapi(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("assigning_server").url
    return url


def _medplum(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("medplum_server").url
    return url


WAYS = {
    "HAPI conditional": (_hapi, "conditional", True),
    "HAPI read-then-write": (_hapi, "read-then-write", True),
    "Medplum as detected": (_medplum, "auto", True),
    "Medplum put": (_medplum, "put", False),
}


@pytest.fixture(params=WAYS)
def speaking(
    request: pytest.FixtureRequest, cli: Cli, namespace: str, tmp_path: Path
) -> DialectSite:
    """Give a site for each server and mode in turn."""
    del namespace
    url, mode, by_tag = WAYS[request.param]
    options = ("--write-mode", mode)
    return DialectSite(cli, "R4", url(request), tmp_path / "journal", options, by_tag)


@pytest.fixture
def assigning(
    request: pytest.FixtureRequest, cli: Cli, namespace: str, tmp_path: Path
) -> DialectSite:
    """Give a site on HAPI that takes no ids of ours."""
    del namespace
    return DialectSite(cli, "R4", _hapi(request), tmp_path / "journal")


def references_of(resource: Json) -> set[str]:
    """Return the references of a Provenance to its agent and target."""
    return {resource["agent"][0]["who"]["reference"], resource["target"][0]["reference"]}


def server_name(resource: Json) -> str:
    """Return what the server calls a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def test_the_samples_arrive_once_whatever_becomes_of_the_journal(
    speaking: DialectSite, tmp_path: Path
) -> None:
    samples = tmp_path / "samples"
    write_samples(samples)
    first = speaking.sync(samples)
    assert first.report["resources"]["failed"] == 0, first.report["troubles"]
    stated = speaking.stated(samples)
    before = speaking.versions(stated)
    assert before.keys() == stated.keys()
    assert speaking.sync(samples).report["requests"] == 0
    speaking.journal.unlink()
    again = speaking.sync(samples)
    assert again.report["resources"] == counted(unchanged=22)
    assert speaking.versions(stated) == before
    checked = speaking.verify(samples).report
    assert (checked["ok"], checked["missing"], checked["drifted"]) == (22, 0, 0)


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_a_changed_claim_changes_the_same_resources_and_no_others(
    speaking: DialectSite, archive: Archive, journal: str
) -> None:
    archive.put(1)
    archive.put(2)
    speaking.sync(archive.folder)
    stated = speaking.stated(archive.folder)
    before = speaking.there(stated)
    archive.put(1, DeidentificationMethod="tool 2.0")
    if journal == "lost":
        speaking.journal.unlink()
    run = speaking.sync(archive.folder)
    assert run.report["resources"] == counted(updated=2, unchanged=2)
    after = speaking.there(stated)
    assert {name: one["id"] for name, one in after.items()} == {
        name: one["id"] for name, one in before.items()
    }
    changed = [name for name in stated if after[name]["meta"] != before[name]["meta"]]
    assert len(changed) == 2
    assert speaking.verify(archive.folder).code == 0


def test_two_studies_share_a_device_that_each_statement_refers_to(
    speaking: DialectSite, archive: Archive
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    speaking.sync(archive.folder)
    archive.put(2, ContributingEquipmentSequence=[CLEANER])
    assert speaking.sync(archive.folder).code == 0
    there = speaking.there(speaking.stated(archive.folder))
    (device,) = [one for name, one in there.items() if name.startswith("Device/")]
    studies = [one for name, one in there.items() if name.startswith("ImagingStudy/")]
    agents = [one for name, one in there.items() if name.startswith("Provenance/")]
    assert (len(studies), len(agents)) == (2, 2)
    named = {server_name(one) for one in studies}
    assert set.union(*map(references_of, agents)) == named | {server_name(device)}
    assert speaking.verify(archive.folder).code == 0


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_a_study_that_is_refused_now_loses_its_statements(
    speaking: DialectSite, archive: Archive, journal: str
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, FILTER])
    speaking.sync(archive.folder)
    stated = speaking.stated(archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    if journal == "lost":
        speaking.journal.unlink()
    run = speaking.sync(archive.folder)
    assert (run.code, run.report["withdrawn"], run.report["resources"]["failed"]) == (3, 1, 0)
    there = speaking.there(stated)
    assert not [name for name in there if name.startswith("Provenance/")]
    (study,) = [one for name, one in there.items() if name.startswith("ImagingStudy/")]
    assert "extension" not in study
    assert speaking.verify(archive.folder).report["drifted"] == 0
    archive.put(1)
    assert speaking.sync(archive.folder).code == 0
    assert speaking.verify(archive.folder).code == 0


def test_a_step_that_is_no_longer_stated_is_deleted(
    speaking: DialectSite, archive: Archive
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER, FILTER])
    speaking.sync(archive.folder)
    before = speaking.stated(archive.folder)
    archive.put(1, ContributingEquipmentSequence=[FILTER])
    assert speaking.sync(archive.folder).report["resources"]["deleted"] == 2
    gone = before.keys() - speaking.stated(archive.folder).keys()
    there = speaking.there(before)
    assert {name for name in gone if name.startswith("Provenance/")} == before.keys() - there.keys()


def test_the_markers_come_back_from_the_server_as_they_were(
    speaking: DialectSite, archive: Archive, cli: Cli
) -> None:
    archive.put(1, DeidentificationMethod=["one", "two"])
    speaking.sync(archive.folder)
    ran = cli("reverse", "--from", speaking.url, "--study", archive.uid(1))
    (read,) = ran.lines
    assert ran.code == 0
    assert read["00120063"]["Value"] == ["one", "two"]


def test_a_server_that_takes_no_ids_of_ours_is_written_by_conditional_update_and_says_so(
    assigning: DialectSite, archive: Archive
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    run = assigning.sync(archive.folder)
    spoken = {"profile": "hapi", "profile_by": "software", "mode": "conditional"}
    assert (run.code, run.report["server"]) == (0, {**spoken, "mode_by": "refusal"})
    before = assigning.versions(assigning.stated(archive.folder))
    archive.put(2, ContributingEquipmentSequence=[CLEANER])
    assert assigning.sync(archive.folder).report["server"] == {**spoken, "mode_by": "journal"}
    assigning.journal.unlink()
    archive.put(3)
    run = assigning.sync(archive.folder)
    assert run.code == 0
    assert run.report["server"] == {**spoken, "mode_by": "found"}
    now = assigning.versions(assigning.stated(archive.folder))
    assert {name: now[name] for name in before} == before
    assert assigning.verify(archive.folder).code == 0


def test_put_that_was_asked_for_is_no_way_to_such_a_server(
    assigning: DialectSite, archive: Archive
) -> None:
    archive.put(1)
    run = assigning.with_options("--write-mode", "put").sync(archive.folder)
    assert run.code == 1
    assert "--write-mode conditional" in run.report["error"]


def test_resources_with_ids_of_the_server_are_not_doubled_by_put(
    assigning: DialectSite, archive: Archive
) -> None:
    archive.put(1)
    assigning.with_options("--write-mode", "conditional").sync(archive.folder)
    archive.put(2)
    run = assigning.with_options("--write-mode", "put").sync(archive.folder)
    assert run.code == 1
    assert "by another mode they would be doubled" in run.report["error"]


def test_resources_at_our_ids_are_not_doubled_by_another_mode(
    request: pytest.FixtureRequest, speaking: DialectSite, archive: Archive
) -> None:
    url = request.getfixturevalue("r4_server").url
    site = replace(speaking, url=url, options=(), by_tag=False)
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    assert site.sync(archive.folder).code == 0
    stated = site.stated(archive.folder)
    archive.put(1, ContributingEquipmentSequence=[CLEANER], DeidentificationMethod="tool 2.0")
    site.journal.unlink()
    run = site.with_options("--write-mode", "conditional").sync(archive.folder)
    assert run.report["resources"]["created"] == 0
    assert run.report["resources"]["updated"] > 0
    tagged = replace(site, by_tag=True)
    assert not tagged.there(stated)
    assert site.verify(archive.folder).code == 0


@pytest.mark.parametrize("mode", ["conditional", "read-then-write"])
def test_several_resources_that_carry_our_id_set_their_study_aside_and_no_other(
    assigning: DialectSite, archive: Archive, mode: str
) -> None:
    site = assigning.with_options("--write-mode", mode)
    archive.put(1)
    archive.put(2)
    name = next(one for one in site.stated(archive.folder) if one.startswith("ImagingStudy/"))
    tag = {"system": TAG, "code": name.partition("/")[2]}
    strange = {"resourceType": "ImagingStudy", "status": "unknown", "subject": {"display": "x"}}
    for _ in range(2):
        body = {**strange, "meta": {"tag": [tag]}}
        requests.post(f"{site.url}/ImagingStudy", json=body, headers=ASK, timeout=60)
    run = site.sync(archive.folder)
    assert run.code == 3
    assert [one["finding"]["code"] for one in run.report["troubles"]] == ["ambiguous-resource"]
    assert run.report["resources"]["created"] == 2


def test_a_tag_that_someone_else_took_away_doubles_nothing_while_the_journal_is_there(
    speaking: DialectSite, archive: Archive
) -> None:
    archive.put(1)
    speaking.sync(archive.folder)
    stated = speaking.stated(archive.folder)
    before = speaking.there(stated)
    for one in before.values():
        meta = {"tag": [{"system": "https://tests.example/other", "code": "x"}]}
        changed = {**one, "meta": meta}
        address = f"{speaking.url}/{server_name(one)}"
        headers = {**ASK, "X-Meta-Snapshot-Mode": "TAG"}
        requests.put(address, json=changed, headers=headers, timeout=60).raise_for_status()
    archive.put(1, DeidentificationMethod="tool 2.0")
    run = speaking.sync(archive.folder)
    assert run.report["resources"] == counted(updated=2)
    after = speaking.there(stated)
    assert {name: one["id"] for name, one in after.items()} == {
        name: one["id"] for name, one in before.items()
    }
