"""`reverse --from` a real server gives back what the files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from deidfhir.api.objects import studies_from_json, studies_from_paths
from deidfhir.model.record import Markers
from tests.conftest import Cli, Server
from tests.synthetic.samples import write_samples


def markers_of(paths: list[Path]) -> dict[str, Markers]:
    return {
        one.sop_instance_uid: one.markers
        for study in studies_from_paths(paths)
        for one in study.instances
    }


@pytest.mark.usefixtures("namespace")
@pytest.mark.parametrize("fhir", ["R4", "R5"])
def test_the_markers_come_back_from_a_server_page_by_page(
    cli: Cli,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    fhir: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Server = request.getfixturevalue(f"{fhir.lower()}_server")
    write_samples(tmp_path / "in")
    run = cli("sync", tmp_path / "in", "--to", server.url, "--fhir", fhir, "--accept", "all")
    assert run.code == 3
    monkeypatch.setattr("deidfhir.sync.server.STUDIES_A_PAGE", 2)

    back = cli("reverse", "--from", server.url, "--fhir", fhir)

    assert back.code == 0
    given = markers_of([tmp_path / "in"])
    found = {
        one.sop_instance_uid: one.markers
        for study in studies_from_json(back.lines, lambda _: None)
        for one in study.instances
        if one.sop_instance_uid in given
    }
    assert len(found) > 20
    for uid, markers in found.items():
        assert markers.method == given[uid].method
        assert markers.method_code == given[uid].method_code
        assert markers.patient_identity_removed == given[uid].patient_identity_removed
        assert len(markers.equipment) == len(given[uid].equipment)


@pytest.mark.usefixtures("namespace")
def test_one_study_is_sought_by_its_uid(cli: Cli, r4_server: Server, tmp_path: Path) -> None:
    write_samples(tmp_path / "in")
    folder = tmp_path / "in" / "tcia-ct"
    assert cli("sync", folder, "--to", r4_server.url).code == 0
    (study,) = studies_from_paths([folder])
    back = cli("reverse", "--from", r4_server.url, "--study", study.uid)
    uids = {line["00080018"]["Value"][0] for line in back.lines}
    assert uids == {one.sop_instance_uid for one in study.instances}
    missing = cli("reverse", "--from", r4_server.url, "--study", "1.2.3.4.5")
    assert (missing.code, missing.out) == (3, "")
    assert "no ImagingStudy with this Study Instance UID" in missing.err
