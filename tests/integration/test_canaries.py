"""A value of its own in every attribute of Table E.1-1: which of them a real server has after sync.

All that the server took since the test began is looked through, history included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from deidfhir.policy.policy import Policy
from tests.integration.support import ASK, Json, Site, name_of
from tests.privacy.allowed import OPTIONS, STATES, Case, Place
from tests.privacy.holding import full, hold
from tests.synthetic.canaries import Canary, write_planted

if TYPE_CHECKING:
    from tests.conftest import Cli, Server

EVERYTHING = tuple(one for one in OPTIONS if one != "113106")
CASES = [Case(), Case(options=EVERYTHING), *(Case(one) for one in STATES if one != "removed")]
UIDS: frozenset[Place] = frozenset(
    ("root", name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
)
NUMBERS: frozenset[Place] = frozenset({("root", "SeriesNumber"), ("root", "InstanceNumber")})
TIGHT = frozenset({"ContributionDescription", "Manufacturer", "PatientID", "StudyDate"})
LOOSE = frozenset({"StudyDescription", "OperatorsName", "SeriesDate"})

POLICIES = {
    "default": "",
    "all accepted": 'accept = ["all"]\n',
    "tight": 'accept = ["all"]\n[attribute]\n' + "".join(f'{n} = "withhold"\n' for n in TIGHT),
    "loose": 'accept = ["all"]\n[attribute]\n' + "".join(f'{n} = "leave"\n' for n in LOOSE),
}


@dataclass(frozen=True)
class Planted:
    """A study, and what was planted in it."""

    case: Case
    canaries: tuple[Canary, ...]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted]]:
    """Write a study for each case."""
    folder = tmp_path_factory.mktemp("canaries")
    studies = []
    for serial, case in enumerate(CASES):
        made, canaries = full(case.markers(), serial)
        write_planted(made, folder / f"{serial}.dcm")
        studies.append(Planted(case, canaries))
    return folder, studies


@pytest.fixture
def site(server: Server, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site of this test alone."""
    assert namespace
    return Site(cli, server.fhir, server.url, tmp_path / "journal")


def taken_since(url: str, begun: str) -> Iterator[Json]:
    """Yield every version of every resource that a server took since an instant."""
    following = f"{url}/_history?_since={begun}&_count=200"
    while following:
        bundle = requests.get(following, headers=ASK, timeout=60).json()
        yield from (entry for entry in bundle.get("entry", ()))
        links = {one["relation"]: one["url"] for one in bundle.get("link", ())}
        following = links.get("next", "")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_server_holds_exactly_what_the_policy_lets_leave(
    site: Site, archive: tuple[Path, list[Planted]], tmp_path: Path, policy: str
) -> None:
    folder, studies = archive
    rules = tmp_path / "rules.toml"
    rules.write_text(POLICIES[policy], encoding="utf-8")
    begun = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ran = site.sync(folder, "--policy", rules)
    assert ran.code == (3 if policy == "default" else 0)
    taken = list(taken_since(site.url, begun))
    text = json.dumps(taken)
    assert len(taken) == ran.report["resources"]["created"]
    for one in studies:
        ruled = replace(one.case, policy=_ruled(policy))
        accepted = policy != "default" or one.case.state == "removed"
        hold(one.canaries, text, ruled.allowed if accepted else ())
    verified = site.verify(folder, "--policy", rules)
    assert (verified.report["missing"], verified.report["drifted"]) == (0, 0)
    for one in studies:
        said = "\n".join([ran.out, ran.err, verified.out, verified.err])
        hold(one.canaries, said + site.journal.read_bytes().decode("latin-1"), ())
    assert site.sync(folder, "--policy", rules).report["requests"] == 0


def _ruled(policy: str) -> Policy:
    names = {"tight": Policy(withhold=TIGHT), "loose": Policy(leave=LOOSE)}
    return names.get(policy, Policy())


def test_a_policy_that_is_tightened_takes_back_what_it_no_longer_lets_leave(
    site: Site, archive: tuple[Path, list[Planted]], tmp_path: Path
) -> None:
    folder, studies = archive
    rules = tmp_path / "rules.toml"
    rules.write_text(POLICIES["loose"], encoding="utf-8")
    assert site.sync(folder, "--policy", rules).code == 0
    tighter = tmp_path / "tighter.toml"
    tighter.write_text(POLICIES["default"], encoding="utf-8")
    ran = site.sync(folder, "--policy", tighter)
    assert ran.report["withdrawn"] == len([one for one in CASES if one.state != "removed"])
    stated = site.stated(folder, "--accept", "all")
    studies_now = {name: _read(site.url, name) for name in stated if "ImagingStudy" in name}
    assert all(studies_now.values())
    provenances = [name for name in stated if name.startswith("Provenance/")]
    for one in studies:
        (own,) = [each for each in studies_now.values() if _is_of(each, one)]
        said = json.dumps([own, *(_read(site.url, name) for name in provenances)])
        if one.case.state == "removed":
            assert name_of(own) in stated
            hold(one.canaries, json.dumps(own), _of_study(one.case))
        else:
            hold(one.canaries, said, UIDS | NUMBERS)


def _read(url: str, reference: str) -> Json:
    found = requests.get(f"{url}/{reference}", headers=ASK, timeout=60)
    return found.json() if found.ok else {}


def _is_of(study: Json, planted: Planted) -> bool:
    uid = next(one for one in planted.canaries if one.keyword == "StudyInstanceUID")
    return uid.shows_in(json.dumps(study.get("identifier")))


def _of_study(case: Case) -> set[Place]:
    """Return what an ImagingStudy alone holds: of the zone nothing, unless a time leaves."""
    dated = {("root", "StudyTime"), ("root", "SeriesTime")} & case.allowed
    return set(case.allowed) - (set() if dated else {("root", "TimezoneOffsetFromUTC")})
