"""A gateway with a real target: when it is ready, and what it says of what a sync wrote there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions
from tests.integration.support import ASK, Archive
from tests.unit.gateway.asking import FHIR, asked, codes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli, Server


def test_it_is_ready_while_its_target_speaks_its_version_of_fhir(r4_server: Server) -> None:
    target = TargetOptions(r4_server.url)
    with asked(Gateway(MappingContext("R4"), target=target)) as client:
        assert client.get("/readyz").text == "ready\n"
    with asked(Gateway(MappingContext("R5"), target=target)) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, codes(answer)) == (503, ["target-unready"])


@pytest.mark.usefixtures("namespace")
def test_what_a_server_holds_has_the_verdict_of_the_objects(
    cli: Cli, r4_server: Server, tmp_path: Path
) -> None:
    archive = Archive(tmp_path / "in")
    archive.put(1)
    archive.put(2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    to = ("--to", r4_server.url, "--journal", tmp_path / "journal")
    assert cli("sync", archive.folder, *to, "--accept", "all").code == 0
    with asked(Gateway(MappingContext())) as client:
        for study, verdict in ((1, "removed"), (2, "not-removed")):
            identifier = f"urn:dicom:uid|urn:oid:{archive.uid(study)}"
            query = {"identifier": identifier, "_revinclude": "Provenance:target"}
            address = f"{r4_server.url}/ImagingStudy"
            found = requests.get(address, params=query, headers=ASK, timeout=30)
            answer = client.post("/verdict", content=found.content, headers=FHIR).json()
            assert (answer["verdict"], answer["accepted"]) == (verdict, verdict == "removed")
            assert len(answer["instances"]) == 1
