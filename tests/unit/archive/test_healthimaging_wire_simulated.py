"""AWS HealthImaging, simulated on the wire: signed, repeated, and nothing of it in any log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.archive.healthimaging import open_healthimaging
from deidfhir.errors import FatalError
from deidfhir.tables import table
from tests.simulated.healthimaging import ADDRESS, SimulatedStore, error
from tests.simulated.healthimagingserver import HealthImagingServer
from tests.synthetic.objects import instance

if TYPE_CHECKING:
    from tests.conftest import Cli

FROM = ("--from", f"{ADDRESS}?region=eu-west-1")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[HealthImagingServer]:
    """Give a data store of two studies behind a server."""
    store = SimulatedStore()
    for study in (1, 2):
        stated: dict[str, Any] = {
            "PatientIdentityRemoved": "YES",
            "DeidentificationMethod": "CANARY method",
        }
        store.put([instance(study, PatientName="CANARY^NAME", PatientID="CANARY-ID", **stated)])
    with HealthImagingServer(store) as server:
        server.reach(monkeypatch)
        yield server


def test_studies_are_listed_and_read(served: HealthImagingServer, cli: Cli) -> None:
    ran = cli("show", *FROM, "--json")
    assert (ran.code, len(ran.report["studies"])) == (0, 2)
    assert len(served.signed) == 3
    assert all(
        one.startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/") and "/medical-imaging/" in one
        for one in served.signed
    )


def test_what_is_throttled_is_repeated(served: HealthImagingServer, cli: Cli) -> None:
    served.store.faults["SearchImageSets"] = [error("ThrottlingException", 429)]
    served.store.faults["GetImageSetMetadata"] = [error("InternalServerException", 500)]
    assert cli("show", *FROM).code == 0
    assert len(served.signed) == 5


def test_no_value_is_in_any_log(
    served: HealthImagingServer, cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert cli("sync", *FROM, "--to", tmp_path / "fhir").code == 0
    served.store.faults["SearchImageSets"] = [error("ValidationException", 400)]
    ran = cli("sync", *FROM, "--to", tmp_path / "fhir")
    assert ran.code == 1
    assert "CANARY" not in caplog.text + ran.out + ran.err
    assert len(caplog.records) > 0


def test_every_leg_of_the_way_is_walked(served: HealthImagingServer) -> None:
    legs = open_healthimaging(FROM[1], timeout=5).walk()
    names = [one for one in table("doctor.toml")["archive"] if one in legs]
    assert names == list(legs)
    found = {name: walk() for name, walk in legs.items()}
    assert found == {**dict.fromkeys(legs), "tls": "tls-absent"}
    served.store.faults["GetImageSetMetadata"] = [error("AccessDeniedException", 403)]
    with pytest.raises(FatalError, match="refuses access"):
        legs["metadata"]()
    served.store.held.clear()
    legs = open_healthimaging(FROM[1], timeout=5).walk()
    assert [legs[name]() for name in ("search", "metadata")] == ["archive-empty"] * 2


def test_the_host_that_is_asked_is_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    asked = open_healthimaging(FROM[1]).store.reach().url
    assert asked == "https://runtime-medical-imaging.eu-west-1.amazonaws.com"


def test_doctor_names_the_leg_that_fails(served: HealthImagingServer, cli: Cli) -> None:
    assert cli("doctor", *FROM).code == 0
    served.store.faults["SearchImageSets"] = [error("AccessDeniedException", 403)]
    ran = cli("doctor", *FROM, "--json")
    failed = [one["leg"] for one in ran.report["source_legs"] if one["state"] == "failed"]
    assert (ran.code, failed) == (1, ["search"])
