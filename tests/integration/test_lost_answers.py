"""An answer that is lost: the server is asked what came of it, and nothing is written twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.support import Archive, Site, counted, only, versions

if TYPE_CHECKING:
    from tests.integration.relay import Relay


@pytest.mark.parametrize("connections", [1, 4])
def test_a_transaction_whose_answer_is_lost_is_looked_up_and_not_sent_again(
    site: Site, archive: Archive, relay: Relay, connections: int
) -> None:
    for study in range(1, 31):
        archive.put(study)
    relay.lost = frozenset({1, 2})
    run = site.to(relay.url).sync(archive.folder, "--connections", connections)
    assert (run.code, run.report["resources"]) == (0, counted(created=60))
    assert len(relay.writes) == 2
    stated = site.stated(archive.folder)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    assert site.to(relay.url).sync(archive.folder).report["requests"] == 0


@pytest.mark.parametrize("connections", [1, 4])
def test_a_transaction_that_never_arrived_is_sent_again(
    site: Site, archive: Archive, relay: Relay, connections: int
) -> None:
    for study in range(1, 31):
        archive.put(study)
    relay.kept = frozenset({1, 2})
    run = site.to(relay.url).sync(archive.folder, "--connections", connections)
    assert (run.code, run.report["resources"]) == (0, counted(created=60))
    stated = site.stated(archive.folder)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")


def test_a_change_whose_answer_is_lost_is_told_as_one(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    archive.put(1, DeidentificationMethod="tool 2.0")
    site = r4_site.to(relay.url)
    relay.lost = frozenset({1})
    # A journal belongs to one address: what the relay's knows, it learns from the server.
    r4_site.journal.unlink()
    run = site.sync(archive.folder)
    assert (run.code, run.report["resources"]["created"]) == (0, 0)
    assert run.report["resources"]["updated"] > 0
    stated = r4_site.stated(archive.folder)
    assert set(versions(r4_site.url, only("ImagingStudy", stated)).values()) == {"2"}


def test_a_withdrawal_whose_answer_is_lost_is_looked_up(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    archive.put(1)
    stated = r4_site.stated(archive.folder)
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder).code == 0
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    relay.lost = frozenset({len(relay.writes) + 1})
    run = site.sync(archive.folder)
    assert (run.code, run.report["withdrawn"]) == (3, 1)
    assert not versions(r4_site.url, only("Provenance", stated))
    assert site.sync(archive.folder).report["requests"] == 0
