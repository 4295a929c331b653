"""One study that a real server refuses, among others in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from tests.integration.relay import spoiling
from tests.integration.support import ASK, Archive, Site, held, only, versions
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")
PLAIN = (2, 4, 5, 6, 7)


def test_only_the_study_that_the_server_refuses_is_set_aside_and_goes_through_when_it_may(
    site: Site, archive: Archive, relay: Relay, cli: Cli
) -> None:
    for study in PLAIN:
        archive.put(study)
    bad = archive.put(3)
    own = site.stated(bad)
    (name,) = only("ImagingStudy", own)
    relay.tamper = spoiling(name)
    site = site.to(relay.url)
    run = site.sync(archive.folder)
    (trouble,) = run.report["troubles"]
    assert (trouble["finding"]["code"], trouble["finding"]["path"]) == ("rejected", str(bad))
    assert trouble["detail"].startswith("HTTP 4")
    assert run.code == 3
    assert run.report["resources"]["created"] == 2 * len(PLAIN)
    others = {name for study in PLAIN for name in site.stated(archive.folder / f"{study}-1-1.dcm")}
    assert versions(site.url, others) == dict.fromkeys(others, "1")
    assert held(site.url, own) == {}

    again = site.sync(archive.folder)
    assert (again.code, again.report["requests"]) == (3, 0)
    assert [one["finding"]["code"] for one in again.report["troubles"]] == ["set-aside"]

    where = ("--to", site.url, "--fhir", site.fhir, "--journal", site.journal, "--json")
    (letter,) = cli("dead", "list", *where).report["letters"]
    assert f"ImagingStudy/{letter['id']}" == name
    assert letter["cause"] == "data"
    (told,) = again.report["troubles"]
    assert told["finding"]["path"] == str(bad)
    assert told["detail"].endswith(f", {letter['id']}")
    relay.tamper = None
    assert cli("dead", "retry", letter["id"], *where).code == 0
    last = site.sync(archive.folder)
    assert (last.code, last.report["resources"]["created"]) == (0, len(own))
    assert versions(site.url, own) == dict.fromkeys(own, "1")


def test_a_device_that_someone_deleted_is_sent_again_with_the_next_study_that_needs_it(
    site: Site, archive: Archive
) -> None:
    first = archive.put(1, ContributingEquipmentSequence=[CLEANER])
    site.sync(archive.folder)
    stated = site.stated(first)
    (device,) = only("Device", stated)
    # Someone deletes all of it, which the journal cannot know: the next study's Device is missing.
    for kind in ("Provenance", "ImagingStudy", "Device"):
        for name in only(kind, stated):
            answer = requests.delete(f"{site.url}/{name}", headers=ASK, timeout=60)
            answer.raise_for_status()
    archive.put(2)
    second = archive.put(3, ContributingEquipmentSequence=[CLEANER])
    run = site.sync(archive.folder)
    assert (run.code, run.report["troubles"]) == (0, [])
    assert set(held(site.url, site.stated(second))) == set(site.stated(second))
    assert device in site.stated(second)
