"""More than one batch of studies, and more than one page of what a study has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.support import Archive, Site, counted, only, versions

if TYPE_CHECKING:
    from tests.integration.relay import Relay


def test_more_studies_than_a_batch_holds_are_all_found_again(site: Site, archive: Archive) -> None:
    for study in range(1, 46):
        archive.put(study)
    assert site.sync(archive.folder).report["resources"] == counted(created=90)
    site.journal.unlink()
    assert site.sync(archive.folder).report["resources"] == counted(unchanged=90)
    stated = site.stated(archive.folder)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    assert site.verify(archive.folder).report["ok"] == 90


def test_more_statements_than_a_page_holds_are_all_found_and_all_go_again(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    every = range(1, 231)
    for number in every:
        archive.put(1, number, DeidentificationMethod=f"tool {number}")
    site = r4_site.to(relay.url)  # whose address is not the one that the server's links name
    assert site.sync(archive.folder).report["resources"] == counted(created=231)
    before = only("Provenance", site.stated(archive.folder))
    site.journal.unlink()
    assert site.sync(archive.folder).report["resources"] == counted(unchanged=231)
    assert versions(r4_site.url, before) == dict.fromkeys(before, "1")
    for number in every:
        archive.put(1, number)
    site.journal.unlink()
    run = site.sync(archive.folder)
    assert run.report["resources"] == counted(created=1, updated=1, deleted=230)
    assert site.verify(archive.folder).report["drifted"] == 0
