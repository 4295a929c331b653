"""A run that saw a part of a study never shrinks the server's; a complete one may (D19)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.support import Archive, Site, counted, held, only, versions


def instances(site: Site, *paths: object) -> list[str]:
    """Return the SOP Instance UIDs that the server lists for the studies of some paths."""
    studies = only("ImagingStudy", held(site.url, site.stated(*paths, "--accept", "all")))
    return [
        instance["uid"]
        for study in sorted(studies.values(), key=lambda one: str(one["identifier"]))
        for series in study["series"]
        for instance in series["instance"]
    ]


def codes(report: dict[str, object]) -> list[str]:
    """Return the codes of the report's troubles."""
    troubles = report["troubles"]
    assert isinstance(troubles, list)
    return [one["finding"]["code"] for one in troubles]


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_one_file_of_a_study_changes_nothing_on_the_server(
    site: Site, archive: Archive, journal: str
) -> None:
    first = archive.put(1, 1)
    archive.put(1, 2)
    site.sync(archive.folder)
    stated = site.stated(archive.folder)
    if journal == "lost":
        site.journal.unlink()
    run = site.sync(first)
    assert run.code == 0
    assert codes(run.report) == (["instance-source-unknown"] if journal == "lost" else [])
    assert run.report["refused"] == 0
    assert run.report["resources"] == counted(unchanged=2)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    again = site.sync(first)
    assert (again.code, again.report["requests"]) == (0, 0)


def test_one_file_that_changed_does_not_speak_for_its_study(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    r4_site.sync(archive.folder)
    stated = r4_site.stated(archive.folder)
    changed = archive.put(1, 1, DeidentificationMethod="tool 2")
    run = r4_site.sync(changed)
    assert run.code == 3
    assert codes(run.report) == ["duplicate-instance-differs"]
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_another_folder_with_the_other_half_adds_to_the_study(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    archive.put(1, 1)
    (tmp_path / "other").mkdir()
    archive.put(1, 2).rename(tmp_path / "other" / "2.dcm")
    r4_site.sync(archive.folder)
    run = r4_site.sync(tmp_path / "other")
    assert (run.code, codes(run.report)) == (0, [])
    assert run.report["resources"] == counted(updated=2)
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]
    run = r4_site.sync(archive.folder, tmp_path / "other")
    assert (run.code, run.report["resources"]) == (0, counted(unchanged=2))
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]


def test_a_file_that_is_gone_from_a_complete_listing_is_gone_from_the_server(
    site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    site.sync(archive.folder)
    (archive.folder / "1-1-2.dcm").unlink()
    run = site.sync(archive.folder)
    assert run.code == 0
    assert run.report["resources"] == counted(updated=2)
    assert instances(site, archive.folder) == [archive.uid(1, 1, 1)]


def test_without_a_journal_a_complete_listing_keeps_what_it_does_not_know(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    r4_site.sync(archive.folder)
    r4_site.journal.unlink()
    (archive.folder / "1-1-2.dcm").unlink()
    run = r4_site.sync(archive.folder)
    assert (run.code, codes(run.report)) == (0, ["instance-source-unknown"])
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]


def test_a_file_that_broke_takes_nothing_from_the_server_however_often_the_run_repeats(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    broken = archive.put(1, 2)
    r4_site.sync(archive.folder)
    broken.write_bytes(broken.read_bytes()[:300])
    for _ in range(3):
        run = r4_site.sync(archive.folder)
        assert (run.code, codes(run.report)) == (3, [])
        assert run.report["resources"] == counted(unchanged=2)
        assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]


def test_a_file_that_broke_keeps_its_own_instance_and_no_other(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    broken = archive.put(2, 1)
    archive.put(2, 2)
    r4_site.sync(archive.folder)
    broken.write_bytes(broken.read_bytes()[:300])
    (archive.folder / "1-1-2.dcm").unlink()
    for _ in range(2):
        assert r4_site.sync(archive.folder).code == 3
        assert instances(r4_site, archive.folder) == [
            archive.uid(1, 1, 1),
            *(archive.uid(2, 1, number) for number in (1, 2)),
        ]
    broken.unlink()
    assert r4_site.sync(archive.folder).code == 0
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1), archive.uid(2, 1, 2)]


def test_a_file_that_was_broken_from_the_start_does_not_keep_a_study_from_shrinking(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    archive.put(1, 2)
    (archive.folder / "broken.dcm").write_bytes(b"DICM")
    assert r4_site.sync(archive.folder).code == 3
    (archive.folder / "1-1-2.dcm").unlink()
    run = r4_site.sync(archive.folder)
    assert (run.code, codes(run.report)) == (3, [])
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1)]


def test_one_file_that_says_no_changes_nothing_of_a_mixed_study_that_is_accepted(
    r4_site: Site, archive: Archive
) -> None:
    no = archive.put(1, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    archive.put(1, 2)
    accept = ("--accept", "removed,mixed")
    assert r4_site.sync(archive.folder, *accept).code == 0
    stated = r4_site.stated(archive.folder, *accept)
    for _ in range(2):
        run = r4_site.sync(no, *accept)
        assert (run.code, run.report["refusals"]) == (0, [])
        assert run.report["withdrawn"] == 0
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_a_study_whose_copies_contradict_each_other_keeps_what_was_stated(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    stated = r4_site.stated(archive.folder)
    path = archive.put(1, DeidentificationMethod="tool 2")
    path.rename(tmp_path / "archive" / "copy.dcm")
    archive.put(1)
    run = r4_site.sync(archive.folder)
    assert run.code == 3
    assert run.report["refused"] == 1
    assert [one["finding"]["code"] for one in run.report["refusals"]] == [
        "duplicate-instance-differs"
    ]
    assert run.report["requests"] == 0
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_a_file_that_broke_while_its_study_was_not_read_still_keeps_its_instance(
    r4_site: Site, archive: Archive
) -> None:
    only_one = archive.put(1, 1)
    archive.put(2)
    r4_site.sync(archive.folder)
    only_one.write_bytes(only_one.read_bytes()[:300])
    assert r4_site.sync(archive.folder).code == 3
    archive.put(1, 2)
    run = r4_site.sync(archive.folder)
    assert (run.code, codes(run.report)) == (3, [])
    both = [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]
    assert instances(r4_site, archive.folder / "1-1-2.dcm") == both


def test_two_sources_that_contradict_each_other_refuse_the_study_until_they_agree(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path / "other")
    other._base = archive._base
    archive.put(1)
    other.put(1)
    assert r4_site.sync(archive.folder).code == 0
    assert r4_site.sync(other.folder).code == 0
    stated = r4_site.stated(archive.folder)
    other.put(1, DeidentificationMethod="tool 2")
    run = r4_site.sync(other.folder)
    assert (run.code, codes(run.report)) == (3, ["duplicate-instance-differs"])
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    archive.put(1, DeidentificationMethod="tool 2")
    assert r4_site.sync(archive.folder).report["resources"] == counted(updated=2)


def test_a_file_that_was_synced_alone_before_does_not_block_its_folder_when_it_changes(
    r4_site: Site, archive: Archive
) -> None:
    assert r4_site.sync(archive.put(1)).code == 0
    assert r4_site.sync(archive.folder).code == 0
    archive.put(1, DeidentificationMethod="tool 2")
    run = r4_site.sync(archive.folder)
    assert (run.code, run.report["resources"]) == (0, counted(updated=2))


def test_an_archive_that_was_moved_and_changed_is_refused_until_a_new_journal(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    # A place that is not there now may be a share that is not mounted: it may still list its own.
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    archive.folder.rename(tmp_path / "moved")
    archive.folder = tmp_path / "moved"
    assert r4_site.sync(archive.folder).report["resources"] == counted(unchanged=2)
    archive.put(1, DeidentificationMethod="tool 2")
    run = r4_site.sync(archive.folder)
    assert (run.code, codes(run.report)) == (3, ["duplicate-instance-differs"])
    fresh = replace(r4_site, journal=tmp_path / "fresh").sync(archive.folder)
    assert (fresh.code, fresh.report["resources"]) == (0, counted(updated=2))


def test_an_instance_that_all_sources_dropped_goes(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path / "other")
    other._base = archive._base
    for one in (archive, other):
        one.put(1, 1)
        one.put(1, 2)
        assert r4_site.sync(one.folder).code == 0
    (archive.folder / "1-1-2.dcm").unlink()
    assert codes(r4_site.sync(archive.folder).report) == []
    assert len(instances(r4_site, archive.folder)) == 2
    (other.folder / "1-1-2.dcm").unlink()
    run = r4_site.sync(other.folder)
    assert (run.code, run.report["resources"]) == (0, counted(updated=2))
    assert instances(r4_site, archive.folder) == [archive.uid(1, 1, 1)]


def test_a_third_source_does_not_hide_that_two_contradict(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    for name in ("second", "third"):
        other = Archive(tmp_path / name)
        other._base = archive._base
        other.put(1, DeidentificationMethod="tool 2")
        run = r4_site.sync(other.folder)
        assert (run.code, codes(run.report)) == (3, ["duplicate-instance-differs"])


def test_a_file_that_was_repaired_and_broke_again_is_newly_skipped(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    second = archive.put(1, 2)
    whole = second.read_bytes()
    second.write_bytes(whole[:300])
    assert r4_site.sync(archive.folder).code == 3
    second.write_bytes(whole)
    assert r4_site.sync(archive.folder).code == 0
    second.write_bytes(whole[:300])
    assert r4_site.sync(archive.folder).code == 3
    assert len(instances(r4_site, archive.folder)) == 2
