"""Studies whose ImagingStudy someone else wrote: linked, enriched, beside ours, or failed (D21)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.relay import Relay
from tests.integration.strangers import CODED, back, raw, spelled, store, theirs, version
from tests.integration.support import (
    Archive,
    Site,
    delete,
    held,
    only,
    search,
    status_of,
    versions,
)
from tests.synthetic.objects import codes, equipment

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from tests.integration.listener import Sent

FIRST = equipment(Manufacturer="Acme", ContributionDateTime="20200101120000+0000")
SECOND = equipment(Manufacturer="Acme", ContributionDateTime="20200102120000+0000")


@pytest.fixture(autouse=True)
def by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the mode that a site has that says nothing: these studies are in no other test."""
    request.getfixturevalue("namespace")
    monkeypatch.delenv("DEIDFHIR_EXISTING")


def put_two(archive: Archive, study: int = 1, *, replaced: bool = True) -> None:
    """Write two objects whose codes say that their UIDs were replaced, cleaned at two times."""
    stated = codes(*CODED) if replaced else codes("113100", "113110")
    for number, item in ((1, FIRST), (2, SECOND)):
        archive.put(
            study,
            number,
            DeidentificationMethodCodeSequence=stated,
            ContributingEquipmentSequence=[item],
        )


def ours(site: Site, archive: Archive) -> str:
    """Return the reference of the ImagingStudy that would be ours."""
    (name,) = only("ImagingStudy", site.stated(archive.folder))
    return name


def codes_of(report: dict[str, Any]) -> list[str]:
    return [one["finding"]["code"] for one in report["troubles"]]


def about(site: Site, reference: str) -> list[dict[str, Any]]:
    return list(search(site.url, f"Provenance?target={reference}"))


@pytest.mark.parametrize(
    ("mode", "listed", "bare"),
    [
        ("link", (1, 2), False),
        ("link", (), True),
        ("link", (1, 2, 3), False),
        ("enrich", (1, 2), True),
        ("enrich", (), False),
        ("enrich", (1,), True),
    ],
    ids=str,
)
def test_theirs_is_used_and_all_markers_come_back_as_from_ours(
    site: Site, archive: Archive, mode: str, listed: tuple[int, ...], *, bare: bool
) -> None:
    put_two(archive)
    site.sync(archive.folder, "--existing", "own")
    from_ours = back(site, archive.uid(1))
    assert len(from_ours) == 2
    for name in site.stated(archive.folder):
        if name.startswith("Provenance"):
            delete(site.url, name)
    delete(site.url, ours(site, archive))
    site.journal.unlink()

    resource = theirs(archive, 1, *listed, bare=bare)
    name = store(site.url, resource)
    before = raw(site.url, name)
    run = site.sync(archive.folder, "--existing", mode)
    how = {"link": "linked", "enrich": "enriched"}[mode]
    assert (run.code, run.report["existing"][how], codes_of(run.report)) == (0, 1, [])
    assert status_of(site.url, ours(site, archive)) == 410
    assert (raw(site.url, name) == before) is (mode == "link")
    (provenance,) = about(site, name)
    paths = provenance["target"][0].get("extension", [])
    assert bool(paths) is (listed != (1, 2))
    assert back(site, archive.uid(1)) == from_ours

    at = version(site.url, name)
    for _ in range(2):
        again = site.sync(archive.folder, "--existing", mode)
        assert (again.code, again.report["resources"]["updated"]) == (0, 0)
        assert site.verify(archive.folder, "--existing", mode).code == 0
    site.journal.unlink()
    lost = site.sync(archive.folder, "--existing", mode)
    assert lost.report["resources"]["created"] + lost.report["resources"]["updated"] == 0
    assert version(site.url, name) == at
    assert set(versions(site.url, [f"Provenance/{provenance['id']}"]).values()) <= {"1", "3"}

    for number in (1, 2):
        archive.put(1, number, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    withdrawn = site.sync(archive.folder, "--existing", mode)
    assert (withdrawn.code, withdrawn.report["withdrawn"]) == (3, 1)
    assert raw(site.url, name) == before
    assert about(site, name) == []
    assert spelled(resource["extension"]) in before


def test_an_original_is_not_touched_unless_codes_or_site_say_that_it_is_none(
    r4_site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_two(archive, replaced=False)
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    for mode in ("link", "enrich"):
        run = r4_site.sync(archive.folder, "--existing", mode)
        assert (run.code, codes_of(run.report)) == (3, ["existing-guarded"])
        assert run.report["existing"]["failed"] == run.report["refused"] == 1
        checked = r4_site.verify(archive.folder, "--existing", mode)
        assert (checked.code, codes_of(checked.report)) == (3, ["existing-guarded"])
    assert (version(r4_site.url, name), about(r4_site, name)) == ("1", [])
    assert status_of(r4_site.url, ours(r4_site, archive)) == 404
    monkeypatch.setenv("DEIDFHIR_TARGET_DEIDENTIFIED", "true")
    run = r4_site.sync(archive.folder)
    assert (run.code, run.report["existing"]["linked"]) == (0, 1)


def test_what_was_linked_is_withdrawn_once_the_codes_allow_it_no_more(
    r4_site: Site, archive: Archive
) -> None:
    put_two(archive)
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    before = raw(r4_site.url, name)
    assert r4_site.sync(archive.folder, "--existing", "enrich").code == 0
    put_two(archive, replaced=False)
    run = r4_site.sync(archive.folder, "--existing", "enrich")
    assert codes_of(run.report) == ["existing-guarded", "claim-withdrawn"]
    assert (raw(r4_site.url, name), about(r4_site, name)) == (before, [])


def test_several_of_others_and_the_mode_fail_fail_the_study(
    r4_site: Site, archive: Archive
) -> None:
    put_two(archive)
    names = [store(r4_site.url, theirs(archive, 1, 1, 2))]
    run = r4_site.sync(archive.folder, "--existing", "fail")
    assert (run.code, codes_of(run.report)) == (3, ["existing-fails"])
    names.append(store(r4_site.url, theirs(archive, 1, name="ris", bare=True)))
    for mode in ("link", "enrich"):
        run = r4_site.sync(archive.folder, "--existing", mode)
        assert (run.code, codes_of(run.report)) == (3, ["existing-several"])
    assert set(versions(r4_site.url, names).values()) == {"1"}
    own = r4_site.sync(archive.folder, "--existing", "own")
    assert (own.code, own.report["existing"]["owned"]) == (0, 1)
    assert set(versions(r4_site.url, [*names, ours(r4_site, archive)]).values()) == {"1"}


def test_ours_stays_where_theirs_came_later_and_gives_way_when_the_mode_changes(
    r4_site: Site, archive: Archive
) -> None:
    put_two(archive)
    assert r4_site.sync(archive.folder).report["existing"]["owned"] == 1
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    before = raw(r4_site.url, name)
    for keep in (True, False):
        if not keep:
            r4_site.journal.unlink()
        run = r4_site.sync(archive.folder)
        assert (run.code, codes_of(run.report)) == (3, ["existing-later"])
        assert run.report["resources"]["unchanged"] == 3
    assert r4_site.verify(archive.folder).report["drifted"] == 0
    own = ours(r4_site, archive)

    run = r4_site.sync(archive.folder, "--existing", "enrich")
    assert (run.code, codes_of(run.report)) == (0, ["existing-moved"])
    assert run.report["resources"]["deleted"] == 1
    assert status_of(r4_site.url, own) == 410
    assert len(about(r4_site, name)) == 1
    assert raw(r4_site.url, name) != before

    run = r4_site.sync(archive.folder, "--existing", "link")
    assert (run.code, codes_of(run.report)) == (0, ["existing-moved"])
    assert raw(r4_site.url, name) == before
    assert len(back(r4_site, archive.uid(1))) == 2

    run = r4_site.sync(archive.folder, "--existing", "own")
    assert (run.code, codes_of(run.report)) == (0, ["existing-moved"])
    assert about(r4_site, name) == []
    assert len(about(r4_site, own)) == 1


def test_their_edits_are_kept_and_ours_are_added_again(r4_site: Site, archive: Archive) -> None:
    put_two(archive)
    resource = theirs(archive, 1, 1, 2)
    name = store(r4_site.url, resource)
    r4_site.sync(archive.folder, "--existing", "enrich")
    # A PACS that writes its whole resource anew, with something changed.
    edited = {**resource, "description": "changed by its owner"}
    store(r4_site.url, edited)
    before = raw(r4_site.url, name)
    run = r4_site.sync(archive.folder, "--existing", "enrich")
    assert (run.code, run.report["resources"]["updated"]) == (0, 1)
    (study,) = held(r4_site.url, [name]).values()
    assert study["description"] == "changed by its owner"
    assert len(back(r4_site, archive.uid(1))) == 2
    again = r4_site.sync(archive.folder, "--existing", "link")
    assert (again.code, raw(r4_site.url, name)) == (0, before)


def test_when_theirs_is_gone_the_study_is_stated_in_ours(r4_site: Site, archive: Archive) -> None:
    put_two(archive)
    resource = theirs(archive, 1, 1, 2)
    name = store(r4_site.url, resource)
    r4_site.sync(archive.folder, "--existing", "enrich")
    # Its owner gives it another study's UID: it is no longer this study's.
    (study,) = held(r4_site.url, [name]).values()
    study["identifier"] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{archive.uid(2)}"}]
    store(r4_site.url, study)
    run = r4_site.sync(archive.folder, "--existing", "enrich")
    assert (run.code, codes_of(run.report)) == (0, ["existing-gone"])
    assert about(r4_site, name) == []
    assert len(about(r4_site, ours(r4_site, archive))) == 1
    assert "deidentification" not in raw(r4_site.url, name)
    assert r4_site.verify(archive.folder, "--existing", "enrich").code == 0


def test_a_label_is_added_and_only_ours_goes_again(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_LABEL", "PSEUDED")
    put_two(archive)
    put_two(archive, 2)
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
    label = {"system": system, "code": "PSEUDED"}
    other = {"system": "https://pacs.example/labels", "code": "restricted"}
    plain = store(site.url, theirs(archive, 1, 1, 2, meta={"security": [other]}))
    labelled = store(site.url, theirs(archive, 2, 1, 2, meta={"security": [label, other]}))
    before = [raw(site.url, one) for one in (plain, labelled)]
    assert site.sync(archive.folder, "--existing", "enrich").code == 0
    (study,) = held(site.url, [plain]).values()
    assert {one["code"] for one in study["meta"]["security"]} == {"restricted", "PSEUDED"}
    assert site.sync(archive.folder, "--existing", "link").code == 0
    assert [raw(site.url, one) for one in (plain, labelled)] == before


def test_one_search_a_batch_looks_theirs_up(r4_site: Site, archive: Archive, relay: Relay) -> None:
    for study in range(1, 31):
        archive.put(study)
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder).report["existing"]["owned"] == 30
    reads = [one.path for one in relay.log if one.method == "GET"]
    assert 1 <= len([one for one in reads if "identifier=" in one]) <= 2
    assert len([one for one in reads if "_id=" in one and "ImagingStudy" in one]) == 0
    again = site.sync(archive.folder)
    assert again.report["requests"] <= 3  # what the server is, and a look at each batch


def test_a_dry_run_says_what_would_be_and_does_nothing(r4_site: Site, archive: Archive) -> None:
    put_two(archive)
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    run = r4_site.sync(archive.folder, "--existing", "enrich", "--dry-run")
    assert (run.code, run.report["existing"]["enriched"]) == (0, 1)
    assert run.report["resources"]["updated"] == 1
    assert version(r4_site.url, name) == "1"
    assert about(r4_site, name) == []


@pytest.mark.parametrize("mode", ["link", "enrich"])
@pytest.mark.parametrize("fate", ["retire", "delete"])
def test_of_a_study_that_vanishes_only_what_is_ours_goes(
    r4_site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch, mode: str, fate: str
) -> None:
    monkeypatch.setenv("DEIDFHIR_RETIRED_STATEMENTS", "withdraw")
    put_two(archive)
    archive.put(2)
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    before = raw(r4_site.url, name)
    order = ("--existing", mode, "--vanished", fate)
    assert r4_site.sync(archive.folder, *order).code == 0
    for number in (1, 2):
        (archive.folder / f"1-1-{number}.dcm").unlink()
    run = r4_site.sync(archive.folder, *order)
    assert run.report["vanished"] == 1
    assert (raw(r4_site.url, name), about(r4_site, name)) == (before, [])
    put_two(archive)
    back_again = r4_site.sync(archive.folder, *order)
    assert (back_again.code, len(about(r4_site, name))) == (0, 1)


class Meddling(Relay):
    """Lets someone else write just before the first of our writes to their resource."""

    def __init__(self, target: str, theirs: dict[str, Any]) -> None:
        super().__init__(target)
        self._target, self._theirs = target, theirs
        self.meddled = False

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Pass a request on."""
        if not self.meddled and "PUT ImagingStudy" in sent.entries:
            self.meddled = True
            store(self._target, self._theirs)
        super().answer(request, sent, content)


def test_what_its_owner_writes_meanwhile_is_never_overwritten(
    r4_site: Site, archive: Archive
) -> None:
    put_two(archive)
    resource = theirs(archive, 1, 1, 2)
    name = store(r4_site.url, resource)
    edited = {**resource, "description": "written between our look and our write"}
    with Meddling(r4_site.url, edited) as relay:
        run = r4_site.to(relay.url).sync(archive.folder, "--existing", "enrich")
    assert (run.code, relay.meddled) == (0, True)
    (study,) = held(r4_site.url, [name]).values()
    assert study["description"] == edited["description"]
    assert version(r4_site.url, name) == "3"
    assert len(back(r4_site, archive.uid(1))) == 2


def test_a_run_that_is_killed_between_look_and_answer_is_completed_by_the_next(
    r4_site: Site, archive: Archive
) -> None:
    put_two(archive)
    name = store(r4_site.url, theirs(archive, 1, 1, 2))
    r4_site.sync(archive.folder, "--existing", "own")
    with closing(sqlite3.connect(r4_site.journal)) as database:
        rows = database.execute("SELECT * FROM study").fetchall()
    assert r4_site.sync(archive.folder, "--existing", "enrich").code == 0
    # As it stood before the answer: planned, and in the way that was left.
    with closing(sqlite3.connect(r4_site.journal)) as database:
        places = ", ".join("?" * len(rows[0]))
        database.executemany(f"INSERT OR REPLACE INTO study VALUES ({places})", rows)  # noqa: S608 - marks
        database.execute("UPDATE study SET state = 'planned', sha = ''")
        database.commit()
    at = version(r4_site.url, name)
    run = r4_site.sync(archive.folder, "--existing", "enrich")
    assert (run.code, run.report["existing"]["enriched"]) == (0, 1)
    assert (version(r4_site.url, name), len(about(r4_site, name))) == (at, 1)


def test_theirs_is_not_doubled_however_little_memory_keeps_of_names(
    site: Site, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deidfhir.sync.names._MOST", 0)
    stored = {}
    for study in (1, 2, 3):
        put_two(archive, study)
        stored[study] = store(site.url, theirs(archive, study, 1, 2))
    run = site.sync(archive.folder, "--existing", "enrich", "--write-mode", "conditional")
    assert (run.code, run.report["existing"]["enriched"]) == (0, 3)
    for study, name in stored.items():
        query = f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{archive.uid(study)}"
        (found,) = search(site.url, query)
        assert (f"ImagingStudy/{found['id']}", found["meta"]["versionId"]) == (name, "2")


def test_in_mode_own_new_studies_cost_one_search_that_names_no_id(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    put_two(archive)
    put_two(archive, 2)
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder, "--existing", "own").code == 0
    asked = [one.path.rpartition("/")[2] for one in relay.log if one.method == "GET"]
    (search,) = [one for one in asked if not one.startswith(("metadata", "Device"))]
    assert search.startswith("ImagingStudy?identifier=")
    site.journal.unlink()
    again = site.sync(archive.folder, "--existing", "own")
    written = {one: number for one, number in again.report["resources"].items() if number}
    assert (again.code, set(written)) == (0, {"unchanged"})
