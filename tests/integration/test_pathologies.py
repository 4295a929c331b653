"""The oddities of real files, made by ourselves, through sync and back from the server."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from deidfhir import read_back
from tests.integration.expected import Plain, folded, plain, within_d4
from tests.integration.support import Site, with_provenances
from tests.synthetic.pathologies import PATHOLOGIES
from tests.synthetic.pathology import Markers

EVERY = ("--accept", "all")
EXPECTED = {uid: markers for one in PATHOLOGIES for uid, markers in one.expected.items()}
VERDICTS = {uid: verdict for one in PATHOLOGIES for uid, verdict in one.verdicts.items()}


@pytest.fixture(scope="module")
def oddities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of all pathologies into one folder."""
    folder = tmp_path_factory.mktemp("oddities")
    for one in PATHOLOGIES:
        one.write(folder)
    return folder


def leaving(markers: Markers) -> Plain:
    """Return what of the expected values may leave."""
    return within_d4(markers, "ContributingEquipment")


def test_the_pathologies_of_the_survey_are_all_there() -> None:
    assert {one.number for one in PATHOLOGIES} == set(range(1, 35))


def test_every_marker_of_every_pathology_comes_back_from_the_server(
    site: Site, oddities: Path
) -> None:
    run = site.sync(oddities, *EVERY)
    assert run.report["resources"]["failed"] == 0
    back = {
        one.sop_instance_uid: one
        for study in read_back(with_provenances(site.url, site.stated(oddities, *EVERY)))
        for one in study.instances
    }
    assert set(EXPECTED) <= set(back)
    lost = {
        uid: (leaving(markers), plain(back[uid].markers))
        for uid, markers in EXPECTED.items()
        if leaving(markers) != plain(back[uid].markers)
    }
    assert lost == {}
    assert {uid: str(back[uid].verdict) for uid in VERDICTS} == VERDICTS


def test_by_default_exactly_the_removed_pathologies_are_there(site: Site, oddities: Path) -> None:
    run = site.sync(oddities)
    studies = defaultdict(list)
    for uid, verdict in VERDICTS.items():
        studies[study_of(uid)].append(verdict)
    judged = {uid: folded(found) for uid, found in studies.items()}
    back = read_back(with_provenances(site.url, site.stated(oddities, *EVERY)))
    there = {one.sop_instance_uid for study in back for one in study.instances}
    assert there & set(VERDICTS) == {uid for uid in VERDICTS if judged[study_of(uid)] == "removed"}
    assert run.report["refused"] == len([one for one in judged.values() if one != "removed"])
    assert run.code == 3


def study_of(uid: str) -> str:
    """Return the study of an instance by the builders' numbers; a hashed UID stands alone."""
    return uid.rsplit(".", 2)[0]


def test_a_second_run_over_the_pathologies_sends_nothing(site: Site, oddities: Path) -> None:
    first = site.sync(oddities, *EVERY)
    again = site.sync(oddities, *EVERY)
    assert again.report["requests"] == 0
    assert again.report["resources"]["unchanged"] == sum(first.report["resources"].values())
    assert site.verify(oddities, *EVERY).report["drifted"] == 0
