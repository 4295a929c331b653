"""Studies that a complete listing no longer has: retired or deleted, and back again (D19, D20)."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.sync.profile import profiles
from tests.conftest import command, process_environment
from tests.integration.relay import spoiling
from tests.integration.support import (
    Archive,
    Json,
    Site,
    held,
    only,
    post,
    status_of,
    versions,
)
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.conftest import Cli, Server
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")


def codes(report: Json) -> list[str]:
    """Return the codes of the report's troubles."""
    return [one["finding"]["code"] for one in report["troubles"]]


def fates(report: Json) -> tuple[int, int, int, int]:
    """Return the counts vanished, retired, deleted and revived."""
    return report["vanished"], report["retired"], report["deleted"], report["revived"]


def fill(archive: Archive, studies: int = 12) -> None:
    """Write some studies of one object each."""
    for study in range(1, studies + 1):
        archive.put(study, ContributingEquipmentSequence=[CLEANER])


def path_of(archive: Archive, study: int) -> Path:
    """Return the one file of a study."""
    return archive.folder / f"{study}-1-1.dcm"


def taken(archive: Archive, study: int, away: Path) -> Path:
    """Move the file of a study out of the archive; return where it is now."""
    away.mkdir(exist_ok=True)
    return path_of(archive, study).rename(away / f"{study}.dcm")


def test_one_of_twelve_that_vanished_is_retired_once_and_revived_when_it_returns(
    site: Site, archive: Archive, relay: Relay, tmp_path: Path
) -> None:
    fill(archive)
    site = site.to(relay.url)
    assert site.sync(archive.folder).code == 0
    everything = site.stated(archive.folder)
    own = site.stated(path_of(archive, 3))
    (study,) = only("ImagingStudy", own)
    (device,) = only("Device", own)
    before = held(site.url, own)
    away = taken(archive, 3, tmp_path / "away")

    foretold = site.sync(archive.folder, "--dry-run").report
    assert (fates(foretold), foretold["resources"]["updated"]) == ((1, 1, 0, 0), 1)
    assert versions(site.url, everything) == dict.fromkeys(everything, "1")

    run = site.sync(archive.folder)
    assert (run.code, fates(run.report), codes(run.report)) == (3, (1, 1, 0, 0), ["study-vanished"])
    assert run.report["resources"]["updated"] == 1
    assert run.report["troubles"][0]["finding"]["path"] == study
    assert versions(site.url, everything) == {**dict.fromkeys(everything, "1"), study: "2"}
    after = held(site.url, own)
    assert after[study]["status"] == "unknown"
    assert after[study]["extension"] == before[study]["extension"]

    sent = len(relay.writes)
    again = site.sync(archive.folder)
    assert (again.code, again.report["requests"], fates(again.report)) == (0, 0, (0, 0, 0, 0))
    assert len(relay.writes) == sent

    away.rename(path_of(archive, 3))
    back = site.sync(archive.folder)
    assert (back.code, fates(back.report)) == (0, (0, 0, 0, 1))
    assert versions(site.url, everything) == {**dict.fromkeys(everything, "1"), study: "3"}
    now = held(site.url, own)
    assert now[study]["status"] == "available"
    (provenance,) = [name for name in own if name.startswith("Provenance/") and name in now][:1]
    assert now[provenance]["recorded"] == before[provenance]["recorded"]
    assert device in now
    assert site.verify(archive.folder).code == 0


def test_by_option_it_is_deleted_but_for_its_device_and_returns_with_new_instants(
    site: Site, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_PATIENT", "resource")
    fill(archive, 3)
    assert site.sync(archive.folder).code == 0
    own = site.stated(path_of(archive, 2))
    devices = set(only("Device", own))
    kinds = {name.partition("/")[0] for name in own}
    assert kinds == {"Device", "ImagingStudy", "Patient", "Provenance"}
    away = taken(archive, 2, tmp_path / "away")
    foretold = site.sync(archive.folder, "--vanished", "delete", "--dry-run").report
    assert (fates(foretold), foretold["resources"]["deleted"]) == ((1, 0, 1, 0), len(own) - 1)
    run = site.sync(archive.folder, "--vanished", "delete")
    assert (run.code, fates(run.report), codes(run.report)) == (3, (1, 0, 1, 0), ["study-vanished"])
    assert run.report["resources"]["deleted"] == len(own) - 1
    assert {name: status_of(site.url, name) for name in own} == {
        name: 200 if name in devices else 410 for name in own
    }
    again = site.sync(archive.folder, "--vanished", "delete")
    assert (again.code, again.report["requests"]) == (0, 0)
    away.rename(path_of(archive, 2))
    back = site.sync(archive.folder, "--vanished", "delete")
    assert (back.code, fates(back.report)) == (0, (0, 0, 0, 1))
    assert versions(site.url, own) == {name: "1" if name in devices else "3" for name in own}
    assert site.verify(archive.folder).code == 0


def test_by_setting_a_retired_study_keeps_uids_and_counts_alone(
    site: Site, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_RETIRED_STATEMENTS", "withdraw")
    monkeypatch.setenv("DEIDFHIR_LABEL", "PSEUDED")
    fill(archive, 2)
    site.sync(archive.folder)
    own = site.stated(path_of(archive, 1))
    (study,) = only("ImagingStudy", own)
    taken(archive, 1, tmp_path / "away").rename(path_of(archive, 1))  # there and back: no change
    assert site.sync(archive.folder).report["requests"] == 0
    taken(archive, 1, tmp_path / "away")
    assert fates(site.sync(archive.folder).report) == (1, 1, 0, 0)
    retired = held(site.url, [study])[study]
    assert (retired["status"], "extension" in retired) == ("unknown", False)
    assert not retired["meta"].get("security")
    assert {status_of(site.url, name) for name in only("Provenance", own)} == {410}
    assert site.sync(archive.folder).report["requests"] == 0


def test_a_label_stays_on_a_retired_study_that_keeps_its_statements(
    site: Site, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_LABEL", "PSEUDED")
    fill(archive, 2)
    site.sync(archive.folder)
    (study,) = only("ImagingStudy", site.stated(path_of(archive, 1)))
    before = held(site.url, [study])[study]
    taken(archive, 1, tmp_path / "away")
    site.sync(archive.folder)
    after = held(site.url, [study])[study]
    assert after["meta"]["security"] == before["meta"]["security"]
    changed = {key for key in after if after[key] != before.get(key)} - {"meta"}
    assert changed == {"status"}


def test_a_vanished_study_is_kept_as_it_is_where_the_site_says_so(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive, 2)
    r4_site.sync(archive.folder)
    stated = r4_site.stated(archive.folder)
    taken(archive, 1, tmp_path / "away")
    run = r4_site.sync(archive.folder, "--vanished", "keep")
    assert (run.code, fates(run.report), run.report["requests"]) == (0, (1, 0, 0, 0), 0)
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    assert fates(r4_site.sync(archive.folder).report) == (1, 1, 0, 0)


def test_many_at_once_do_not_vanish_until_someone_confirms(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive)
    site.sync(archive.folder)
    stated = site.stated(archive.folder)
    (study,) = only("ImagingStudy", site.stated(path_of(archive, 12)))
    for one in range(1, 12):
        taken(archive, one, tmp_path / "away")
    archive.put(13)
    for arguments in (["--dry-run"], [], ["--confirm-vanished", "10"]):
        run = site.sync(archive.folder, *arguments)
        assert (run.code, fates(run.report)) == (1, (0, 0, 0, 0))
        assert run.report["error"].startswith("11 of the 1")
        assert "--confirm-vanished 11" in run.report["error"]
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    # The rest of the work was done.
    new = site.stated(path_of(archive, 13))
    assert versions(site.url, new) == dict.fromkeys(new, "1")
    run = site.sync(archive.folder, "--confirm-vanished", "11")
    assert (run.code, fates(run.report)) == (3, (11, 11, 0, 0))
    there = only("ImagingStudy", held(site.url, stated))
    assert {name for name, one in there.items() if one["status"] == "available"} == {study}


def test_an_empty_listing_retires_nothing_unless_the_very_number_is_confirmed(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive, 2)
    r4_site.sync(archive.folder)
    stated = r4_site.stated(archive.folder)
    archive.folder.rename(tmp_path / "unmounted")
    missing = r4_site.sync(archive.folder)
    assert missing.code == 2
    archive.folder.mkdir()
    for arguments in ([], ["--confirm-vanished", "1000"]):
        run = r4_site.sync(archive.folder, *arguments)
        assert (run.code, fates(run.report)) == (1, (0, 0, 0, 0))
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    run = r4_site.sync(archive.folder, "--confirm-vanished", "2")
    assert (run.code, fates(run.report)) == (3, (2, 2, 0, 0))
    assert r4_site.sync(archive.folder).code == 0


def test_one_empty_place_of_two_is_taken_for_one_that_is_not_mounted(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive, 3)
    second = tmp_path / "second"
    taken(archive, 3, second)
    assert r4_site.sync(archive.folder, second).code == 0
    shutil.rmtree(second)
    second.mkdir()
    (second / "NOT_MOUNTED").write_text("the share is not mounted")
    run = r4_site.sync(archive.folder, second)
    assert (run.code, fates(run.report)) == (1, (0, 0, 0, 0))


def test_while_a_file_is_newly_skipped_nothing_vanishes(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive, 4)
    r4_site.sync(archive.folder)
    stated = r4_site.stated(archive.folder)
    whole = path_of(archive, 1).read_bytes()
    path_of(archive, 1).write_bytes(whole[:300])
    taken(archive, 2, tmp_path / "away")
    archive.put(5)
    for _ in range(3):
        run = r4_site.sync(archive.folder)
        assert (run.code, fates(run.report)) == (3, (0, 0, 0, 0))
        assert codes(run.report) == ["listing-incomplete"]
        assert run.report["troubles"][0]["detail"] == "2 studies"
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    path_of(archive, 1).write_bytes(whole)
    assert fates(r4_site.sync(archive.folder).report) == (1, 1, 0, 0)


def test_a_run_of_single_files_never_makes_anything_vanish(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    gate = tmp_path / "incoming.dcm"
    for study in (1, 2, 3):
        archive.put(study).replace(gate)
        assert r4_site.sync(gate).code == 0
    for study in (1, 2, 3):
        archive.put(study)
    stated = r4_site.stated(archive.folder)
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_a_study_that_another_source_lists_only_loses_a_claim(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path / "other")
    other._base = archive._base
    for study in (1, 2):
        archive.put(study)
        other.put(study)
    r4_site.sync(archive.folder)
    r4_site.sync(other.folder)
    stated = r4_site.stated(archive.folder)
    path_of(archive, 1).unlink()
    run = r4_site.sync(archive.folder)
    assert (run.code, fates(run.report), run.report["requests"]) == (0, (0, 0, 0, 0), 0)
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    # Now only the other source claims it: it may change there without a contradiction …
    other.put(1, DeidentificationMethod="tool 2")
    assert r4_site.sync(other.folder).code == 0
    # … and vanish.
    path_of(other, 1).unlink()
    assert fates(r4_site.sync(other.folder).report) == (1, 1, 0, 0)


def test_what_a_source_alone_had_of_a_study_goes_when_the_other_states_it_again(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path / "other")
    other._base = archive._base
    archive.put(1, 1)
    archive.put(1, 2)
    archive.put(2)
    r4_site.sync(archive.folder)
    other.put(1, 1)
    r4_site.sync(other.folder)
    for one in (path_of(archive, 1), archive.folder / "1-1-2.dcm"):
        one.unlink()
    assert fates(r4_site.sync(archive.folder).report) == (0, 0, 0, 0)
    run = r4_site.sync(other.folder)
    assert (run.code, run.report["resources"]["updated"] > 0) == (0, True)
    (study,) = only("ImagingStudy", held(r4_site.url, r4_site.stated(other.folder))).values()
    assert study["numberOfInstances"] == 1


def test_a_study_that_is_listed_but_contradicts_itself_has_not_vanished(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1)
    archive.put(2)
    r4_site.sync(archive.folder)
    stated = r4_site.stated(archive.folder)
    copy = archive.put(1, DeidentificationMethod="tool 2").rename(archive.folder / "copy.dcm")
    archive.put(1)
    run = r4_site.sync(archive.folder)
    assert (run.code, fates(run.report), copy.exists()) == (3, (0, 0, 0, 0), True)
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_a_deletion_that_a_reference_forbids_becomes_a_retirement(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    fill(archive, 2)
    site.sync(archive.folder)
    own = site.stated(path_of(archive, 1))
    (study,) = only("ImagingStudy", own)
    note = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": study}}
    entry = {"resource": note, "request": {"method": "POST", "url": "Basic"}}
    post(site.url, {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    taken(archive, 1, tmp_path / "away")
    run = site.sync(archive.folder, "--vanished", "delete")
    assert (run.code, fates(run.report)) == (3, (1, 1, 0, 0))
    assert codes(run.report) == ["deletion-refused", "study-vanished"]
    assert held(site.url, [study])[study]["status"] == "unknown"
    again = site.sync(archive.folder, "--vanished", "delete")
    assert (again.code, again.report["requests"]) == (0, 0)


@pytest.fixture
def refusing(refusing_server: Server, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site on the server that refuses deletion."""
    del namespace
    return Site(cli, "R4", refusing_server.url, tmp_path / "journal")


@pytest.mark.parametrize("statements", ["keep", "withdraw"])
def test_a_server_that_refuses_deletion_gets_a_retirement(
    refusing: Site,
    archive: Archive,
    tmp_path: Path,
    statements: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEIDFHIR_RETIRED_STATEMENTS", statements)
    fill(archive, 2)
    refusing.sync(archive.folder)
    own = refusing.stated(path_of(archive, 1))
    (study,) = only("ImagingStudy", own)
    taken(archive, 1, tmp_path / "away")
    run = refusing.sync(archive.folder, "--vanished", "delete")
    assert (run.code, fates(run.report)) == (3, (1, 1, 0, 0))
    marked = ["withdrawal-marked"] if statements == "withdraw" else []
    assert codes(run.report) == ["deletion-refused", "study-vanished", *marked]
    retired = held(refusing.url, [study])[study]
    assert (retired["status"], "extension" in retired) == ("unknown", statements == "keep")
    again = refusing.sync(archive.folder, "--vanished", "delete")
    assert (again.code, again.report["requests"]) == (0, 0)


@pytest.mark.parametrize("fate", ["retire", "delete"])
@pytest.mark.parametrize("next_run", ["gone", "back"])
def test_a_run_that_hears_no_answer_while_a_study_goes_converges_with_the_next(
    site: Site, archive: Archive, relay: Relay, tmp_path: Path, *, fate: str, next_run: str
) -> None:
    fill(archive, 3)
    site = site.to(relay.url)
    site.sync(archive.folder)
    own = site.stated(path_of(archive, 2))
    (study,) = only("ImagingStudy", own)
    (provenance, *_) = only("Provenance", own)
    recorded = held(site.url, [provenance])[provenance]["recorded"]
    away = taken(archive, 2, tmp_path / "away")
    relay.withhold_from = len(relay.writes) + 1
    cut = site.sync(archive.folder, "--vanished", fate, "--timeout", "3")
    assert cut.code == 5
    assert relay.withheld.is_set()
    relay.withhold_from = None
    time.sleep(1)  # instants of recording have seconds
    if next_run == "gone":
        run = site.sync(archive.folder, "--vanished", fate)
        assert run.code == 3
        assert site.sync(archive.folder, "--vanished", fate).report["requests"] == 0
        found = held(site.url, [study])
        assert [one["status"] for one in found.values()] == ["unknown"] * (fate == "retire")
        assert status_of(site.url, study) == (200 if fate == "retire" else 410)
    else:
        away.rename(path_of(archive, 2))
        assert site.sync(archive.folder, "--vanished", fate).code == 0
        assert versions(site.url, [study]) == {study: "3"}
        again = held(site.url, [provenance])[provenance]["recorded"]
        assert (again == recorded) == (fate == "retire")
        assert site.verify(archive.folder).code == 0


@pytest.mark.parametrize("fate", ["retire", "delete"])
def test_a_run_that_is_killed_while_studies_go_is_completed_by_the_next(
    r4_site: Site, archive: Archive, relay: Relay, tmp_path: Path, fate: str
) -> None:
    count = profiles()["hapi"].limits.studies + 5
    for study in range(1, count + 3):
        archive.put(study)
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder).code == 0
    gone = [path_of(archive, study) for study in range(1, count + 1)]
    own = {name for path in gone for name in only("ImagingStudy", site.stated(path))}
    for study in range(1, count + 1):
        taken(archive, study, tmp_path / "away")
    relay.withhold_from = len(relay.writes) + 1
    how = ("--vanished", fate, "--confirm-vanished", str(count))
    where = ("--to", relay.url, "--journal", site.journal, "--connections", "1")
    with subprocess.Popen(
        command("sync", archive.folder, *where, *how), env=process_environment()
    ) as running:
        assert relay.withheld.wait(60)
        running.kill()
    relay.withhold_from = None
    done = {"retire": "retired", "delete": "deleted"}[fate]
    run = site.sync(archive.folder, *how)
    assert (run.code, run.report["vanished"], run.report[done]) == (3, count, count)
    assert site.sync(archive.folder).report["requests"] == 0
    left = held(r4_site.url, own)
    if fate == "retire":
        assert {(one["status"], one["meta"]["versionId"]) for one in left.values()} == {
            ("unknown", "2")
        }
        assert left.keys() == own
    else:
        assert left == {}
    assert site.verify(archive.folder).code == 0


def test_what_the_target_refused_for_good_is_forgotten_once_it_vanished(
    r4_site: Site, archive: Archive, relay: Relay, cli: Cli, tmp_path: Path
) -> None:
    site = r4_site.to(relay.url)
    fill(archive, 2)
    site.sync(archive.folder)
    (name,) = only("ImagingStudy", site.stated(archive.put(3)))
    relay.tamper = spoiling(name)
    assert codes(site.sync(archive.folder).report) == ["rejected"]
    where = ("--to", site.url, "--journal", site.journal, "--json")
    assert len(cli("dead", "list", *where).report["letters"]) == 1
    taken(archive, 3, tmp_path / "away")
    run = site.sync(archive.folder)
    assert (run.code, fates(run.report)) == (0, (1, 0, 0, 0))
    assert cli("dead", "list", *where).report["letters"] == []
