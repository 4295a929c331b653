"""What a profile changes of the requests: compressed bodies, headers, the size of transactions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.integration.fake import FakeServer, Reply, accepted, capability
from tests.integration.listener import Sent
from tests.integration.support import Archive, Site, versions

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.relay import Relay


@pytest.fixture
def faked(fake: FakeServer, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site on the server that the test makes answer."""
    del namespace
    return Site(cli, "R4", fake.url, tmp_path / "journal")


def named(software: str, **told: object) -> Reply:
    """Return the answer to GET /metadata of some software."""
    resource = [{"type": kind, **told} for kind in ("ImagingStudy", "Provenance")]
    more = {"software": {"name": software}, "rest": [{"mode": "server", "resource": resource}]}
    return Reply(body={**capability("4.0.1"), **more})


def test_hapi_is_sent_compressed_bodies_and_takes_them(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    for number in range(1, 20):
        archive.put(1, number)
    site = r4_site.to(relay.url)
    first = site.sync(archive.folder)
    assert first.code == 0
    assert len(versions(r4_site.url, site.stated(archive.folder))) == 2
    site.journal.unlink()
    archive.put(1, DeidentificationMethod="tool 2.0")
    plain = site.sync(archive.folder, "--server-profile", "plain")
    assert plain.report["server"]["profile_by"] == "option"
    assert plain.report["traffic"]["sent"] > 3 * first.report["traffic"]["sent"]


def test_of_what_hapi_says_of_itself_a_small_part_is_asked_for(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    archive.put(1)
    run = r4_site.to(relay.url).sync(archive.folder)
    assert (run.code, run.report["server"]["profile"]) == (0, "hapi")
    (asked,) = [one.path for one in relay.log if "/metadata" in one.path]
    whole = requests.get(f"{r4_site.url}/metadata", timeout=60)
    part = requests.get(f"{r4_site.url}/metadata?{asked.partition('?')[2]}", timeout=60)
    assert part.json()["software"] == whole.json()["software"]
    assert 100 * len(part.content) < len(whole.content)


@pytest.mark.parametrize("refusal", [None, 400, 404])
def test_a_server_that_gives_no_such_part_is_asked_for_the_whole(
    fake: FakeServer, faked: Site, archive: Archive, refusal: int | None
) -> None:
    archive.put(1)
    said = named("other", updateCreate=False, conditionalUpdate=True)

    def part(sent: Sent) -> Reply:
        if "?" not in sent.path:
            return said
        return Reply(body=capability("4.0.1")) if refusal is None else Reply(status=refusal)

    fake.metadata = part
    server = faked.sync(archive.folder).report["server"]
    assert (server["mode"], server["mode_by"]) == ("conditional", "statement")


@pytest.mark.parametrize("status", [400, 415])
def test_a_server_that_refuses_compressed_bodies_is_sent_plain_ones(
    fake: FakeServer, faked: Site, archive: Archive, status: int
) -> None:
    for study in range(1, 3):
        archive.put(study)
    fake.metadata = lambda _: named("HAPI FHIR Server")
    refused: list[Sent] = []

    def once(sent: Sent) -> Reply:
        if not refused:
            refused.append(sent)
            return Reply(status)
        return accepted(sent)

    fake.transaction = once
    run = faked.sync(archive.folder)
    assert (run.code, len(fake.writes)) == (0, 2)
    assert run.report["traffic"]["sent"] > 0


@pytest.mark.parametrize(("profile", "most"), [("healthlake", 160), ("medplum", 50)])
def test_no_transaction_has_more_entries_than_the_profile_allows(
    fake: FakeServer, faked: Site, archive: Archive, profile: str, most: int
) -> None:
    for study in range(1, 30):
        for series in range(1, 12):
            archive.put(study, series=series, DeidentificationMethod=f"tool {series}")
    asked = ("--server-profile", profile, "--write-mode", "put")
    run = faked.sync(archive.folder, *asked)
    assert run.report["server"]["profile"] == profile
    sizes = [len(one.body["entry"]) for one in fake.writes]
    assert sum(sizes) == 29 * 12
    assert max(sizes) <= most
    assert len(sizes) < 29


def test_a_write_that_may_have_made_something_is_not_sent_again_by_read_then_write(
    fake: FakeServer, faked: Site, archive: Archive
) -> None:
    archive.put(1)
    fake.metadata = lambda _: named("other", updateCreate=False, conditionalUpdate=False)
    fake.transaction = lambda _: Reply(503)
    run = faked.sync(archive.folder)
    assert (run.code, run.report["server"]["mode"]) == (5, "read-then-write")
    assert len(fake.writes) == 1
    (methods,) = [[one["request"]["method"] for one in sent.body["entry"]] for sent in fake.writes]
    assert methods == ["POST", "POST"]
