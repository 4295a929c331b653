"""The 56 real objects of the survey, through show, map and sync, and back from the server."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from deidfhir import read_back
from tests.integration.expected import WITHOUT_UID, Row, folded, manifest, plain, within_d4
from tests.integration.support import (
    Json,
    Site,
    held,
    only,
    versions,
    with_provenances,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

EVERY = ("--accept", "all")


@pytest.fixture
def rows(real_folder: Path) -> list[Row]:
    """Return the MANIFEST's rows but for the object that has no SOP Instance UID."""
    found = manifest(real_folder)
    assert len(found) == 56
    return [one for one in found if one.file != WITHOUT_UID]


def verdicts(rows: list[Row]) -> dict[str, str]:
    """Return the verdict of each study, by its UID."""
    groups = defaultdict(list)
    for one in rows:
        groups[one.study].append(one.verdict)
    return {uid: folded(found) for uid, found in groups.items()}


def uid_of(study: Json) -> str:
    """Return the Study Instance UID that an ImagingStudy names."""
    value: str = study["identifier"][0]["value"]
    return value.removeprefix("urn:oid:")


def test_every_marker_that_the_survey_lists_comes_back_from_the_server(
    site: Site, real_folder: Path, rows: list[Row]
) -> None:
    run = site.sync(real_folder, *EVERY)
    assert run.code == 3
    counts = {key: run.report[key] for key in ("studies", "instances", "refused", "skipped")}
    assert counts == {"studies": 47, "instances": 55, "refused": 0, "skipped": 1}
    assert [one["path"] for one in run.report["skips"]] == [str(real_folder / WITHOUT_UID)]
    stated = site.stated(real_folder, *EVERY)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    back = {
        one.sop_instance_uid: one
        for study in read_back(with_provenances(site.url, stated))
        for one in study.instances
    }
    lost = {
        one.file: (within_d4(one.markers), plain(back[one.instance].markers))
        for one in rows
        if within_d4(one.markers) != plain(back[one.instance].markers)
    }
    assert lost == {}
    told = {one.file: str(back[one.instance].verdict) for one in rows}
    assert told == {one.file: one.verdict for one in rows}


def test_by_default_exactly_the_removed_studies_are_there_and_the_rest_is_refused(
    site: Site, real_folder: Path, rows: list[Row]
) -> None:
    judged = verdicts(rows)
    run = site.sync(real_folder)
    assert run.code == 3
    assert run.report["refused"] == 17
    every = site.stated(real_folder, *EVERY)
    there = held(site.url, every)
    assert {uid_of(one) for one in only("ImagingStudy", there).values()} == {
        uid for uid, verdict in judged.items() if verdict == "removed"
    }
    assert len(only("ImagingStudy", there)) == 30
    refused = {one["path"]: one["verdict"] for one in run.report["refusals"]}
    assert refused == {
        str(real_folder / one.file): one.verdict for one in rows if one.verdict != "removed"
    }


def test_only_removed_studies_have_a_provenance_and_each_of_them_has_one(
    site: Site, real_folder: Path, rows: list[Row]
) -> None:
    site.sync(real_folder, *EVERY)
    found = with_provenances(site.url, site.stated(real_folder, *EVERY))
    with_one = {one.study_uid for one in read_back(found) if one.provenances}
    assert with_one == {uid for uid, verdict in verdicts(rows).items() if verdict == "removed"}


def test_a_second_run_over_the_real_objects_sends_nothing(site: Site, real_folder: Path) -> None:
    site.sync(real_folder, *EVERY)
    again = site.sync(real_folder, *EVERY)
    assert again.report["requests"] == 0
    assert again.report["resources"]["unchanged"] == len(site.stated(real_folder, *EVERY))
    site.journal.unlink()
    without_journal = site.sync(real_folder, *EVERY)
    assert without_journal.report["resources"] == again.report["resources"]
    assert site.verify(real_folder, *EVERY).report["ok"] == len(site.stated(real_folder, *EVERY))


def test_show_tells_of_each_real_object_what_the_survey_lists(
    cli: Cli, real_folder: Path, rows: list[Row]
) -> None:
    told, listed = {}, {}
    for one in rows:
        (study,) = cli("show", real_folder / one.file, "--json").report["studies"]
        told[one.file] = [
            study["verdict"],
            *(study[key] for key in ("identity_removed", "methods", "codes")),
            *(study[key] for key in ("burned_in_annotation", "recognizable_visual_features")),
            study["longitudinal_temporal_information_modified"],
        ]
        markers = within_d4(one.markers)
        equipment = markers.pop("ContributingEquipmentSequence")
        assert [len(items) for items in study["equipment"]] == [len(equipment)]
        listed[one.file] = [one.verdict, *([content] for content in markers.values())]
    assert told == listed


def test_map_gives_the_same_bytes_again_whatever_the_order_of_the_files(
    cli: Cli, real_folder: Path
) -> None:
    files = sorted(real_folder.iterdir())
    first = cli("map", *files, *EVERY).out
    assert cli("map", *reversed(files), *EVERY).out == first
    assert cli("map", real_folder, *EVERY).out == first
    assert first.count("\n") == 47


def test_r4b_is_r4_for_the_real_objects(cli: Cli, real_folder: Path) -> None:
    r4, r4b = (cli("map", real_folder, *EVERY, "--fhir", fhir).out for fhir in ("R4", "R4B"))
    assert r4 == r4b


def test_explain_knows_every_real_object(cli: Cli, real_folder: Path, rows: list[Row]) -> None:
    for one in rows:
        run = cli("explain", real_folder / one.file, "--json")
        assert run.code == 0
        assert [told["verdict"] for told in run.report["objects"]] == [one.verdict]
