"""No command shows, logs, stores or names a file after a planted value that may not leave."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom.config
import pytest

from deidfhir.fhir.versions import FHIR_NAMES
from tests.privacy.allowed import OPTIONS, STATES, Case, Place
from tests.privacy.holding import full, hold, hold_at_most
from tests.synthetic.canaries import Canary, json_of, write_planted
from tests.synthetic.dicomjson import write_json
from tests.synthetic.objects import write_bytes
from tests.synthetic.packing import zip_of

if TYPE_CHECKING:
    from tests.conftest import Cli

EVERYTHING = tuple(one for one in OPTIONS if one != "113106")
CASES = [Case(), Case(options=EVERYTHING), *(Case(one) for one in STATES if one != "removed")]
UIDS: frozenset[Place] = frozenset(
    ("root", name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
)
NUMBERS: frozenset[Place] = frozenset({("root", "SeriesNumber"), ("root", "InstanceNumber")})
FORMS = {
    "explicit": "1.2.840.10008.1.2.1",
    "implicit": "1.2.840.10008.1.2",
    "json": "",
    "zip": "1.2.840.10008.1.2.1",
}
# The standard's newest attributes are unknown to pydicom, which says so while it writes them.
pytestmark = pytest.mark.filterwarnings("ignore:VR lookup failed")


@dataclass(frozen=True)
class Archive:
    """A folder with a study for each case, every attribute planted with a value of its own."""

    folder: Path
    studies: tuple[tuple[Case, Path, tuple[Canary, ...]], ...]

    @cached_property
    def canaries(self) -> list[Canary]:
        """The values of all studies."""
        return [one for _, _, canaries in self.studies for one in canaries]


@pytest.fixture(scope="session", params=sorted(FORMS))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Write the archive, as files, as DICOM JSON, or as members of zip files."""
    folder = tmp_path_factory.mktemp(f"archive-{request.param}")
    syntax = FORMS[request.param]
    studies = []
    for serial, case in enumerate(CASES):
        made, canaries = full(case.markers(), serial)
        if syntax:
            path = write_planted(made, folder / f"{serial}.dcm", syntax)
            if request.param == "zip":
                path = pack(path, path.with_suffix(".zip"))
        else:
            path = write_json(json_of(made), folder / f"{serial}.json")
        studies.append((case, path, canaries))
    return Archive(folder, tuple(studies))


def pack(path: Path, into: Path) -> Path:
    """Put a file into a zip file instead."""
    write_bytes(zip_of([(path.name, path.read_bytes())]), into)
    path.unlink()
    return into


@pytest.fixture(autouse=True)
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let every library tell all that it ever would."""
    caplog.set_level(logging.DEBUG)
    pydicom.config.debug(debug_on=True, default_handler=False)
    yield
    pydicom.config.debug(debug_on=False)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return all that was logged so far."""
    return lambda: caplog.text


def assert_silent(archive: Archive, place: Path, *spoken: str) -> None:
    """Assert that no value is in what was said or journaled, nor in a name of a file."""
    texts = [*spoken, *(file.name for file in (place / "out").rglob("*"))]
    for file in (place / "home").rglob("*"):
        texts.append(file.name)
        if file.is_file():
            texts.append(file.read_bytes().decode("latin-1"))
    hold(archive.canaries, "\n".join(texts), ())


@pytest.mark.parametrize("accept", ["removed", "all"])
def test_map_prints_what_may_leave_of_what_is_accepted(
    cli: Cli, tmp_path: Path, archive: Archive, accept: str, said: Callable[[], str]
) -> None:
    findings = tmp_path / "findings.json"
    for fhir in FHIR_NAMES:
        options = ("--accept", accept, "--fhir", fhir, "--findings", findings)
        run = cli("map", archive.folder, *options)
        for case, _, canaries in archive.studies:
            accepted = accept == "all" or case.state == "removed"
            hold(canaries, run.out, case.allowed if accepted else ())
        assert_silent(archive, tmp_path, run.err, said(), findings.read_text("utf-8"))


@pytest.mark.parametrize("accept", ["removed", "all"])
def test_a_folder_gets_what_may_leave_and_reports_hold_nothing(
    cli: Cli, tmp_path: Path, archive: Archive, accept: str, said: Callable[[], str]
) -> None:
    # Below home, where every file is looked through.
    observed = ("--metrics", tmp_path / "home" / "m.prom", "--log", tmp_path / "home" / "log")
    (tmp_path / "home").mkdir()
    arguments = (archive.folder, "--to", tmp_path / "out", "--accept", accept, *observed)
    for name in ("sync", "sync --dry-run", "verify"):
        for how in ((), ("--json",)):
            command, *more = name.split()
            run = cli(command, *arguments, *more, *how)
            assert run.code in (0, 3)
            assert_silent(archive, tmp_path, run.out, run.err, said())
    assert [(tmp_path / "home" / one).stat().st_size > 500 for one in ("m.prom", "log")] == [
        True
    ] * 2
    written = b"\n".join(one.read_bytes() for one in sorted((tmp_path / "out").iterdir()))
    for case, _, canaries in archive.studies:
        accepted = accept == "all" or case.state == "removed"
        hold(canaries, written, case.allowed if accepted else ())


def test_what_is_withdrawn_leaves_uids_and_counts_alone(
    cli: Cli, tmp_path: Path, archive: Archive, said: Callable[[], str]
) -> None:
    target = (archive.folder, "--to", tmp_path / "out")
    cli("sync", *target, "--accept", "all")
    run = cli("sync", *target, "--json")
    assert run.report["withdrawn"] == len([one for one in CASES if one.state != "removed"])
    assert_silent(archive, tmp_path, run.out, run.err, said())
    studies = (tmp_path / "out" / "ImagingStudy.ndjson").read_bytes()
    statements = (tmp_path / "out" / "Provenance.ndjson").read_bytes()
    for case, _, canaries in archive.studies:
        if case.state != "removed":
            hold(canaries, studies, UIDS | NUMBERS)
            hold(canaries, statements, ())


def test_show_shows_the_markers_and_the_uid_of_what_is_removed(
    cli: Cli, tmp_path: Path, archive: Archive, said: Callable[[], str]
) -> None:
    run, text = cli("show", archive.folder, "--json"), cli("show", archive.folder)
    for case, _, canaries in archive.studies:
        equipment = {one for one in case.allowed if "109104" in one[0]}
        uid = {("root", "StudyInstanceUID")} if case.state == "removed" else set()
        hold(canaries, run.out, equipment | uid)
        hold_at_most(canaries, text.out, equipment | uid)
    assert_silent(archive, tmp_path, run.err, text.err, said())


def test_explain_shows_what_leaves_and_of_what_is_refused_the_markers(
    cli: Cli, tmp_path: Path, archive: Archive, said: Callable[[], str]
) -> None:
    for case, path, canaries in archive.studies:
        may = {one for one in case.allowed if "109104" in one[0] or case.state == "removed"} - {
            one for one in case.allowed if "/" in one[0] or one[0].startswith("udi")
        }
        run = cli("explain", path, "--json")
        hold(canaries, run.out, may)
        assert_silent(archive, tmp_path, run.err, said())
        hold(canaries, cli("explain", path).out, ())


def test_reverse_gives_back_the_markers_alone(
    cli: Cli, tmp_path: Path, archive: Archive, said: Callable[[], str]
) -> None:
    bundles = tmp_path / "bundles.ndjson"
    bundles.write_text(cli("map", archive.folder, "--accept", "all").out, encoding="utf-8")
    run = cli("reverse", bundles)
    for case, _, canaries in archive.studies:
        hold(canaries, run.out, {one for one in case.allowed if "109104" in one[0]} | UIDS)
    assert_silent(archive, tmp_path, run.err, said())


def test_a_policy_withholds_in_every_command(
    cli: Cli, tmp_path: Path, archive: Archive, said: Callable[[], str]
) -> None:
    policy = tmp_path / "tight.toml"
    names = ["ContributionDescription", "Manufacturer", "PatientID", "SeriesNumber"]
    ruled = "\n".join(f'{name} = "withhold"' for name in names)
    policy.write_text(f'accept = ["all"]\n[attribute]\n{ruled}\n')
    given = ("--policy", policy)
    runs = [cli("map", archive.folder, *given), cli("show", archive.folder, *given, "--json")]
    runs += [cli("explain", path, *given, "--json") for _, path, _ in archive.studies]
    cli("sync", archive.folder, "--to", tmp_path / "out", *given)
    written = "".join(one.read_text("utf-8") for one in (tmp_path / "out").iterdir())
    for case, _, canaries in archive.studies:
        tight = replace(case, policy=replace(case.policy, withhold=frozenset(names)))
        hold(canaries, runs[0].out, tight.allowed)
        hold(canaries, written, tight.allowed)
        for run in runs:
            hold_at_most(canaries, run.out, tight.allowed)
            assert_silent(archive, tmp_path, run.err, said())


def test_what_is_written_is_its_owner_s_alone(cli: Cli, tmp_path: Path, archive: Archive) -> None:
    cli("sync", archive.folder, "--to", tmp_path / "out")
    cli("map", archive.folder, "--findings", tmp_path / "out" / "findings.json")
    cli("package", "--out", tmp_path / "out" / "package.tgz")
    own = [*(tmp_path / "home").rglob("deidfhir/*"), *(tmp_path / "out").iterdir()]
    assert len(own) >= 6
    assert {stat.S_IMODE(one.stat().st_mode) for one in own} == {0o600}
    folders = [tmp_path / "out", next((tmp_path / "home").rglob("deidfhir"))]
    assert {stat.S_IMODE(one.stat().st_mode) for one in folders} == {0o700}


def test_the_policy_in_force_is_named_where_something_left(
    cli: Cli, tmp_path: Path, archive: Archive
) -> None:
    policy = tmp_path / "house.toml"
    policy.write_text('name = "house rules"\naccept = ["all"]\n')
    named = json.loads(cli("show", archive.folder, "--json", "--policy", policy).out)["policy"]
    assert named["name"] == "house rules"
    for arguments in (
        ("map", archive.folder),
        ("sync", archive.folder, "--to", tmp_path / "out"),
        ("verify", archive.folder, "--to", tmp_path / "out"),
        ("show", archive.folder),
        ("explain", archive.studies[0][1]),
    ):
        run = cli(*arguments, "--policy", policy)
        assert f"house rules ({named['digest']})" in run.out + run.err
