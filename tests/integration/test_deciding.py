"""Whether an ImagingStudy of a real server may be given away, by what we wrote about it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.config import load_settings
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.deciding import Decider, Question
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.journal import Journal
from deidfhir.tables import table
from deidfhir.web.timing import Clock
from tests.integration.fake import Reply
from tests.integration.strangers import CODED, store, theirs
from tests.integration.support import Archive, Site, delete, held, only, put, search
from tests.synthetic.objects import codes

if TYPE_CHECKING:
    from tests.conftest import Cli, Server
    from tests.integration.fake import FakeServer


def decider(site: Site, **more: Any) -> Decider:  # noqa: ANN401
    """Return what decides for a site, by default from one look to the next."""
    fhir: Any = site.fhir
    where = TargetOptions(site.url, site.journal)
    return Decider(where, MappingContext(fhir, load_settings(None)), **({"seconds": 0} | more))


def asked(site: Site, uid: str, **more: Any) -> tuple[str, str]:  # noqa: ANN401
    """Return reason and detail for a study."""
    found = decider(site, **more).decide(Question.of(uid, None))
    return found.reason, found.detail


def own(site: Site, archive: Archive) -> dict[str, Any]:
    """Return our ImagingStudy of the archive's only study, as the server has it."""
    (name,) = only("ImagingStudy", site.stated(archive.folder, "--accept", "all"))
    return held(site.url, [name])[name]


def test_a_study_of_which_all_is_stated_as_removed_may_be_given_away(
    site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    site.sync(archive.folder)
    decide = decider(site)
    by_study = decide.decide(Question.of(archive.uid(1), None))
    assert (by_study.reason, by_study.is_allowed, by_study.version) == ("removed", True, "1")
    spelled = decide.decide(Question.of(f"urn:oid:{archive.uid(1)}", None))
    by_id = decide.decide(Question.of(None, f"ImagingStudy/{own(site, archive)['id']}"))
    assert spelled == by_id == by_study
    site.journal.unlink()
    assert decide.decide(Question.of(archive.uid(1), None)) == by_study


def test_what_is_accepted_without_being_removed_is_not_given_away(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    archive.put(2, 1, PatientIdentityRemoved=None)
    archive.put(3, 1, BurnedInAnnotation="YES")
    archive.put(4, 1)
    archive.put(4, 2, PatientIdentityRemoved=None)
    r4_site.sync(archive.folder, "--accept", "all")
    reasons = [asked(r4_site, archive.uid(one))[0] for one in (1, 2, 3, 4)]
    assert reasons == ["not-removed", "unknown", "contradictory", "mixed"]


def test_what_is_not_there_or_twice_is_not_given_away(r4_site: Site, archive: Archive) -> None:
    assert asked(r4_site, archive.uid(1)) == ("missing", "")
    nobody = Question.of(None, "ImagingStudy/nobody")
    assert decider(r4_site).decide(nobody).reason == "missing"
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    mine = own(r4_site, archive)
    for bare in (True, False):
        name = store(r4_site.url, theirs(archive, 1, 1, bare=bare))
        assert asked(r4_site, archive.uid(1)) == ("duplicate", "")
        for one in (name, f"ImagingStudy/{mine['id']}"):
            assert decider(r4_site).decide(Question.of(None, one)).reason == "duplicate"


def test_what_others_wrote_is_foreign_whatever_it_says(r4_site: Site, archive: Archive) -> None:
    archive.put(1, 1)
    stated = r4_site.stated(archive.folder)
    (mine,) = only("ImagingStudy", stated).values()
    put(r4_site.url, {**mine, "id": f"copy-{archive.uid(1)[-9:]}"})
    (about,) = only("Provenance", stated).values()
    target = [{"reference": f"ImagingStudy/copy-{archive.uid(1)[-9:]}"}]
    put(r4_site.url, {**about, "id": f"copy-{about['id'][:20]}", "target": target})
    assert asked(r4_site, archive.uid(1)) == ("foreign", "")
    unnamed = f"unnamed-{archive.uid(1)[-9:]}"
    put(r4_site.url, {**mine, "id": unnamed, "identifier": []})
    asked_for = Question.of(None, f"ImagingStudy/{unnamed}")
    assert decider(r4_site).decide(asked_for).reason == "foreign"


def test_a_withdrawn_and_a_vanished_study_are_not_given_away(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    archive.put(1, 1)
    gone = archive.put(2, 1)
    archive.put(3, 1)
    site.sync(archive.folder)
    archive.put(1, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    gone.unlink()
    site.sync(archive.folder)
    for one in (site, replace(site, journal=tmp_path / "none")):
        assert asked(one, archive.uid(1)) == ("withdrawn", "")
        assert asked(one, archive.uid(2)) == ("retired", "")
        assert asked(one, archive.uid(3)) == ("removed", "")


@pytest.mark.parametrize("careful", [True, False])
def test_an_instance_that_someone_else_added_to_ours_is_not_covered(
    r4_site: Site, archive: Archive, *, careful: bool
) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    mine = own(r4_site, archive)
    added = {**mine["series"][0]["instance"][0], "uid": archive.uid(1, 1, 2)}
    mine["series"][0]["instance"].append(added)
    if careful:
        mine["numberOfInstances"] = mine["series"][0]["numberOfInstances"] = 2
    put(r4_site.url, mine)
    assert asked(r4_site, archive.uid(1)) == ("outdated", "instances")


def test_statements_that_someone_changed_or_took_away_count_no_more(
    r4_site: Site, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    for site in (r4_site, replace(r4_site, journal=tmp_path / "none")):
        assert asked(site, archive.uid(1)) == ("removed", "")
        with monkeypatch.context() as others:
            others.setenv("DEIDFHIR_LABEL", "PSEUDED")
            assert asked(site, archive.uid(1)) == ("outdated", "changed")
    mine = own(r4_site, archive)
    subject = {**mine["subject"]["identifier"], "value": "SOMEONE"}
    for theirs_now in ({"description": "of someone"}, {"subject": {"identifier": subject}}):
        put(r4_site.url, {**mine, **theirs_now})
        assert asked(r4_site, archive.uid(1)) == ("outdated", "changed")
    put(r4_site.url, {**mine, "extension": "none"} | {"extension": mine["extension"]})
    assert asked(r4_site, archive.uid(1)) == ("removed", "")
    for name in only("Provenance", r4_site.stated(archive.folder)):
        delete(r4_site.url, name)
    assert asked(r4_site, archive.uid(1)) == ("outdated", "changed")
    put(r4_site.url, {key: value for key, value in mine.items() if key != "extension"})
    assert asked(r4_site, archive.uid(1)) == ("withdrawn", "")


def test_what_a_sync_has_planned_and_not_confirmed_is_not_given_away(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    with closing(sqlite3.connect(r4_site.journal)) as journal, journal:
        journal.execute("UPDATE study SET state = 'planned'")
    assert asked(r4_site, archive.uid(1)) == ("outdated", "under-way")


def test_while_a_sync_has_the_journal_the_server_is_asked_alone(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    journal = Journal(r4_site.journal)
    journal.put_source("s", ())
    assert asked(r4_site, archive.uid(1)) == ("removed", "")
    journal.close()


@pytest.mark.parametrize("mode", ["link", "enrich"])
def test_of_theirs_only_what_was_read_is_given_away(
    site: Site, archive: Archive, tmp_path: Path, mode: str
) -> None:
    for number in (1, 2):
        archive.put(1, number, DeidentificationMethodCodeSequence=codes(*CODED))
    name = store(site.url, theirs(archive, 1, 1, 2))
    assert asked(site, archive.uid(1)) == ("foreign", "")
    site.sync(archive.folder, "--existing", mode)
    alone = replace(site, journal=tmp_path / "none")
    for one in (site, alone):
        assert asked(one, archive.uid(1)) == ("removed", "")
        assert decider(one).decide(Question.of(None, name)).is_allowed
    resource = held(site.url, [name])[name]
    resource["series"][0]["instance"].append({**resource["series"][0]["instance"][0]})
    resource["series"][0]["instance"][2]["uid"] = archive.uid(1, 1, 3)
    put(site.url, resource)
    for one in (site, alone):
        assert asked(one, archive.uid(1)) == ("outdated", "instances")
    site.sync(archive.folder, "--existing", mode)
    assert asked(site, archive.uid(1)) == ("outdated", "instances")
    archive.put(1, 3, DeidentificationMethodCodeSequence=codes(*CODED))
    site.sync(archive.folder, "--existing", mode)
    assert asked(site, archive.uid(1)) == ("removed", "")
    for number in (1, 2, 3):
        archive.put(1, number, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    site.sync(archive.folder, "--existing", mode)
    assert asked(site, archive.uid(1)) == ("withdrawn", "")
    assert asked(alone, archive.uid(1)) == ("foreign", "")


def test_a_server_that_gave_the_ids_is_asked_by_its_own(
    assigning_server: Server, cli: Cli, namespace: str, archive: Archive, tmp_path: Path
) -> None:
    del namespace
    site = Site(cli, assigning_server.fhir, assigning_server.url, tmp_path / "journal")
    archive.put(1, 1)
    assert site.sync(archive.folder).code == 0
    (found,) = search(site.url, f"ImagingStudy?identifier=urn:oid:{archive.uid(1)}")
    for one in (site, replace(site, journal=tmp_path / "none")):
        assert asked(one, archive.uid(1)) == ("removed", "")
        by_id = decider(one).decide(Question.of(None, f"ImagingStudy/{found['id']}"))
        assert (by_id.reason, by_id.version) == ("removed", "1")


def test_a_target_that_cannot_be_asked_gives_nothing_away(
    fake: FakeServer, tmp_path: Path, free_port: int
) -> None:
    def reasons(url: str) -> tuple[str, str]:
        where = TargetOptions(url, tmp_path / "journal")
        made = Decider(where, MappingContext(), seconds=60, timeout=0.4)
        for _ in range(2):
            found = made.decide(Question.of("1.2.3", None))
        return found.reason, found.detail

    assert reasons(f"http://127.0.0.1:{free_port}/fhir") == ("unreachable", "target-down")
    assert reasons(str(tmp_path)) == ("unreachable", "decide-target")
    fake.search = lambda _: Reply(silent=True)
    assert reasons(fake.url) == ("unreachable", "target-silent")
    fake.search = lambda _: Reply(body=b"<html>", headers={"Content-Type": "text/html"})
    assert reasons(fake.url)[0] == "unreachable"
    fake.always(Reply(status=401))
    assert reasons(fake.url) == ("unreachable", "credentials-demanded")


def test_a_journal_that_is_no_journal_gives_nothing_away(r4_site: Site, archive: Archive) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    r4_site.journal.write_bytes(b"no journal at all, but as long as the head of one" * 9)
    assert asked(r4_site, archive.uid(1)) == ("unreachable", "journal-unusable")


def test_a_slow_server_is_one_that_cannot_be_asked(fake: FakeServer, tmp_path: Path) -> None:
    now = [0.0]

    def searched(_: object) -> Reply:
        now[0] += 3
        return Reply(body={"resourceType": "Bundle", "type": "searchset"})

    fake.search = searched
    clock = Clock(monotonic=lambda: now[0])
    where = TargetOptions(fake.url, tmp_path / "journal", clock=clock)
    made = Decider(where, MappingContext(), timeout=5)
    assert made.decide(Question.of(None, "ImagingStudy/1")).reason == "missing"
    now[0] = 100
    made = Decider(where, MappingContext(), timeout=2)
    fake.search = lambda _: (
        searched(_) and Reply(body={"resourceType": "Bundle", "entry": [{"resource": RESOURCE}]})
    )
    found = made.decide(Question.of(None, "ImagingStudy/1"))
    assert (found.reason, found.detail) == ("unreachable", "target-silent")


RESOURCE = {
    "resourceType": "ImagingStudy",
    "id": "1",
    "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
}


def test_a_decision_stands_for_its_seconds_and_not_beyond_what_we_write(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    now = [0.0]
    where = TargetOptions(r4_site.url, r4_site.journal, clock=Clock(monotonic=lambda: now[0]))
    made = Decider(where, MappingContext("R4", load_settings(None)), seconds=5)
    asking = Question.of(archive.uid(1), None)
    assert made.decide(asking).is_allowed
    archive.put(1, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    r4_site.sync(archive.folder)
    now[0] = 4.9
    assert made.decide(asking).is_allowed
    now[0] = 5
    assert made.decide(asking).reason == "withdrawn"
    archive.put(1, 1)
    r4_site.sync(archive.folder)
    assert made.decide(asking).reason == "withdrawn"
    made.forget()
    assert made.decide(asking).is_allowed


def test_every_reason_of_the_table_is_given_somewhere_here() -> None:
    told = table("decisions.toml")
    text = Path(__file__).read_text(encoding="utf-8")
    missing = [one for one in (*told["reason"], *told["detail"]) if f'"{one}"' not in text]
    assert missing == []
    assert Decider(TargetOptions("x"), MappingContext()).decide(None).reason == "question"
