"""What stands by someone else's ImagingStudy is repaired as what stands by ours (D21)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.integration.strangers import CODED, raw, spelled, store, theirs, version
from tests.integration.support import ASK, Archive, Site, delete, put, search
from tests.synthetic.objects import codes, equipment

Json = dict[str, Any]
CLEANER = equipment(Manufacturer="Acme", ContributionDateTime="20200101120000+0000")


@pytest.fixture(autouse=True)
def by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the mode that a site has that says nothing: these studies are in no other test."""
    request.getfixturevalue("namespace")
    monkeypatch.delenv("DEIDFHIR_EXISTING")


@pytest.fixture(params=["link", "enrich"])
def mode(request: pytest.FixtureRequest) -> str:
    """Give each mode that uses theirs."""
    name: str = request.param
    return name


@pytest.fixture
def name(r4_site: Site, archive: Archive, mode: str) -> str:
    """Sync a study that is there already, and one that is not; return the reference of theirs."""
    put_coded(archive, 1)
    put_coded(archive, 2)
    stored = store(r4_site.url, theirs(archive, 1, 1))
    run = r4_site.sync(archive.folder, "--existing", mode)
    assert (run.code, run.report["existing"]["owned"]) == (0, 1)
    return stored


def put_coded(archive: Archive, study: int) -> None:
    """Write an object whose codes say that its UIDs were replaced."""
    archive.put(
        study,
        DeidentificationMethodCodeSequence=codes(*CODED),
        ContributingEquipmentSequence=[CLEANER],
    )


def about(site: Site, reference: str) -> list[Json]:
    """Return the Provenance that target a study."""
    return list(search(site.url, f"Provenance?target={reference}"))


def told(report: Json) -> tuple[int, int]:
    """Return how many resources are missing, and drifted."""
    return report["missing"], report["drifted"]


def test_a_statement_about_theirs_that_someone_deleted_is_made_again(
    r4_site: Site, archive: Archive, name: str, mode: str
) -> None:
    before = raw(r4_site.url, name)
    (lost,) = about(r4_site, name)
    delete(r4_site.url, f"Provenance/{lost['id']}")
    run = r4_site.verify(archive.folder, "--existing", mode, "--repair")
    assert (run.code, told(run.report), told(run.report["repair"])) == (0, (1, 0), (0, 0))
    (again,) = about(r4_site, name)
    assert again["id"] == lost["id"]
    assert raw(r4_site.url, name) == before
    assert r4_site.sync(archive.folder, "--existing", mode).report["resources"]["updated"] == 0


def test_a_statement_about_theirs_that_someone_edited_is_put_right(
    r4_site: Site, archive: Archive, name: str, mode: str
) -> None:
    (ours,) = about(r4_site, name)
    put(r4_site.url, {**ours, "location": {"display": "elsewhere"}})
    run = r4_site.verify(archive.folder, "--existing", mode, "--repair")
    assert (run.code, told(run.report), told(run.report["repair"])) == (0, (0, 1), (0, 0))
    (again,) = about(r4_site, name)
    assert "location" not in again
    assert again["target"] == ours["target"]


def test_what_we_added_to_theirs_is_added_again_where_its_owner_wrote_it_without(
    r4_site: Site, archive: Archive, name: str, mode: str
) -> None:
    enriched = raw(r4_site.url, name)
    store(r4_site.url, theirs(archive, 1, 1))
    run = r4_site.verify(archive.folder, "--existing", mode, "--repair")
    drifted = 1 if mode == "enrich" else 0
    assert (run.code, told(run.report)) == (0, (0, drifted))
    assert raw(r4_site.url, name) == enriched
    assert r4_site.verify(archive.folder, "--existing", mode).code == 0


def test_on_a_server_that_gives_ids_theirs_is_used_in_the_same_way(
    assigning_site: Site, archive: Archive, mode: str
) -> None:
    put_coded(archive, 1)
    put_coded(archive, 2)
    site = assigning_site
    name = posted(site.url, theirs(archive, 1, 1))
    before = raw(site.url, name)
    run = site.sync(archive.folder, "--existing", mode)
    how = {"link": "linked", "enrich": "enriched"}[mode]
    assert (run.code, run.report["existing"][how], run.report["existing"]["owned"]) == (0, 1, 1)
    assert run.report["server"]["mode"] == "conditional"
    assert (raw(site.url, name) == before) is (mode == "link")
    (ours,) = about(site, name)
    at = version(site.url, name)
    again = site.sync(archive.folder, "--existing", mode)
    assert (again.code, again.report["resources"]["updated"]) == (0, 0)
    site.journal.unlink()
    lost = site.sync(archive.folder, "--existing", mode)
    written = lost.report["resources"]["created"] + lost.report["resources"]["updated"]
    assert (lost.report["troubles"], lost.report["server"]["mode_by"]) == ([], "found")
    assert (lost.code, written, version(site.url, name)) == (0, 0, at)
    assert [one["id"] for one in about(site, name)] == [ours["id"]]
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    withdrawn = site.sync(archive.folder, "--existing", mode)
    assert (withdrawn.code, withdrawn.report["withdrawn"]) == (3, 1)
    assert (raw(site.url, name), about(site, name)) == (before, [])


@pytest.fixture
def assigning_site(r4_site: Site, assigning_server: Any) -> Site:  # noqa: ANN401 - a Server
    """Give a site on HAPI that takes no ids of ours."""
    return r4_site.to(assigning_server.url)


def posted(url: str, resource: Json) -> str:
    """Create a resource as someone else would, at an id of the server; return its reference."""
    content = spelled({key: value for key, value in resource.items() if key != "id"})
    headers = {"Content-Type": "application/fhir+json", **ASK}
    path = f"{url}/{resource['resourceType']}"
    answer = requests.post(path, data=content, headers=headers, timeout=60)
    answer.raise_for_status()
    return f"{resource['resourceType']}/{answer.json()['id']}"
