"""Whole runs from AWS HealthImaging, simulated: the Bundles of files, and what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import config

from deidfhir.archive.healthimaging import HealthImaging, open_healthimaging
from deidfhir.web.timing import Clock
from tests.simulated.healthimaging import ADDRESS, SimulatedStore, error
from tests.synthetic.objects import instance, write
from tests.synthetic.studies import STUDIES

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

FROM = ("--from", f"{ADDRESS}?region=eu-west-1")


@pytest.fixture(autouse=True)
def _clock(store: SimulatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(address: str, timeout: float, connections: int, _: Clock) -> HealthImaging:
        clock = Clock(now=lambda: store.now, sleep=lambda _: None)
        return open_healthimaging(address, timeout, connections, clock)

    monkeypatch.setattr("deidfhir.archive.opening.open_healthimaging", opened)


def put(store: SimulatedStore, study: int, *numbers: int, name: str = "", **more: Any) -> str:  # noqa: ANN401
    """Store instances of a study as an image set."""
    stated = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "tool", **more}
    return store.put([instance(study, 1, one, **stated) for one in numbers], name)


def test_samples_give_the_bundles_that_their_files_give(
    store: SimulatedStore, cli: Cli, tmp_path: Path
) -> None:
    for name, made in STUDIES.items():
        for number, one in enumerate(made()):
            write(one, tmp_path / "files" / name / f"{number}.dcm")
        with config.disable_value_validation():
            store.put(made())
    for version in ("R4", "R5"):
        given = ("--fhir", version, "--accept", "all")
        ours = cli("map", *FROM, *given)
        theirs = cli("map", tmp_path / "files", *given)
        assert sorted(ours.out.splitlines()) == sorted(theirs.out.splitlines())
        assert len(ours.lines) == len(STUDIES)


def test_new_changed_and_deleted_image_sets_reach_the_target(
    store: SimulatedStore, cli: Cli, tmp_path: Path
) -> None:
    first = [put(store, study, 1, 2) for study in range(1, 15)]
    target = tmp_path / "fhir"

    def sync() -> Ran:
        store.asked.clear()
        store.now += 3600
        return cli("sync", *FROM, "--to", target, "--json")

    assert sync().report["resources"]["created"] > 0
    assert sync().code == 0
    put(store, 1, 1, 2, name=first[0], DeidentificationMethod="another tool")
    put(store, 15, 1)
    store.held[first[1]].deleted = True
    third = sync()
    assert (third.code, third.report["troubles"][0]["finding"]["code"]) == (3, "study-vanished")
    assert store.asked.count("GetImageSetMetadata") == 2
    assert third.report["retired"] == 1
    held = (target / "ImagingStudy.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(one)["status"] for one in held].count("unknown") == 1
    assert len(held) == 15


def test_a_second_sync_reads_no_metadata(store: SimulatedStore, cli: Cli, tmp_path: Path) -> None:
    for study in (1, 2, 3):
        put(store, study, 1)
    assert cli("sync", *FROM, "--to", tmp_path / "fhir").code == 0
    store.now += 3600
    cli("sync", *FROM, "--to", tmp_path / "fhir")
    store.asked.clear()
    store.now += 3600
    assert cli("sync", *FROM, "--to", tmp_path / "fhir").code == 0
    assert "GetImageSetMetadata" not in store.asked
    assert cli("verify", *FROM, "--to", tmp_path / "fhir").code == 0


def test_an_image_set_that_cannot_be_had_shrinks_no_study(
    store: SimulatedStore, cli: Cli, tmp_path: Path
) -> None:
    put(store, 1, 1)
    second = put(store, 1, 2)
    assert cli("sync", *FROM, "--to", tmp_path / "fhir").code == 0
    before = (tmp_path / "fhir" / "ImagingStudy.ndjson").read_text(encoding="utf-8")
    store.held[second].lost = True
    ran = cli("sync", *FROM, "--to", tmp_path / "fhir", "--full")
    assert ran.code == 3
    assert (tmp_path / "fhir" / "ImagingStudy.ndjson").read_text(encoding="utf-8") == before


def test_what_ends_a_run_is_told_with_its_exit_code(store: SimulatedStore, cli: Cli) -> None:
    for code, status, exit_code in (
        ("ThrottlingException", 429, 5),
        ("AccessDeniedException", 403, 1),
        ("ExpiredTokenException", 403, 1),
    ):
        store.faults["SearchImageSets"] = [error(code, status)]
        ran = cli("show", *FROM)
        assert ran.code == exit_code
        assert "CANARY" not in ran.out + ran.err
        assert "Traceback" not in ran.err


def test_one_image_set_adds_to_its_study_and_takes_nothing(
    store: SimulatedStore, cli: Cli, tmp_path: Path
) -> None:
    first, second = put(store, 1, 1), put(store, 1, 2, 3)
    target = tmp_path / "fhir"

    def counts(address: str) -> list[int]:
        assert cli("sync", "--from", address, "--to", target).code == 0
        held = (target / "ImagingStudy.ndjson").read_text(encoding="utf-8").splitlines()
        return [json.loads(one)["numberOfInstances"] for one in held]

    assert counts(f"{ADDRESS}/{first}?region=eu-west-1") == [1]
    assert counts(f"{ADDRESS}/{second}?region=eu-west-1") == [3]
    put(store, 1, 2, name=second)
    assert counts(f"{ADDRESS}/{second}?region=eu-west-1") == [2]
    assert counts(f"{ADDRESS}?region=eu-west-1") == [2]
    assert counts(f"{ADDRESS}/{first}?region=eu-west-1") == [2]


def test_an_image_set_whose_metadata_tells_of_no_instance_shrinks_no_study(
    store: SimulatedStore, cli: Cli, tmp_path: Path
) -> None:
    first = put(store, 1, 1, 2)
    given = ("sync", *FROM, "--to", tmp_path / "fhir", "--confirm-vanished", "1", "--json")
    assert cli(*given).code == 0
    held = (tmp_path / "fhir" / "ImagingStudy.ndjson").read_text(encoding="utf-8")
    for series in store.held[first].metadata["Study"]["Series"].values():
        series["Instances"] = {}
    store.now += 3600
    for _ in range(2):
        run = cli(*given, "--full")
        assert (run.code, "instance-unavailable" in run.out) == (3, True)
        assert (tmp_path / "fhir" / "ImagingStudy.ndjson").read_text(encoding="utf-8") == held
