"""AWS HealthImaging, simulated on the wire: signed, repeated, and nothing of it in any log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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
