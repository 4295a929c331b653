"""New, changed and deleted studies of a real Orthanc, by its log of changes, in a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from deidfhir import (
    MappingContext,
    Settings,
    load_settings,
    studies_from_archive,
    sync_archive,
    verify_archive,
)
from tests.integration.archives import FromArchive, Pacs
from tests.integration.support import held, versions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli, Ran
    from tests.integration.support import Site

Asked = list[str]


@pytest.fixture
def fed(r4_site: Site, pacs: Pacs) -> FromArchive:
    """Give a site that is fed from Orthanc."""
    return FromArchive(r4_site, pacs.orthanc.address)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Give the paths that are asked for, of every server."""
    found: Asked = []
    send = requests.Session.send

    def noted(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> Any:  # noqa: ANN401
        found.append(request.path_url)
        return send(self, request, **how)

    monkeypatch.setattr(requests.Session, "send", noted)
    yield found


def metadata(asked: Asked) -> list[str]:
    """Return what was asked for of what instances state, and forget all."""
    found = [one for one in asked if one.endswith("/metadata") and "/studies/" in one]
    asked.clear()
    return found


def did(run: Ran) -> dict[str, int]:
    """Return what became of resources, without what stayed."""
    found = run.report["resources"]
    return {name: count for name, count in found.items() if count and name != "unchanged"}


def test_what_comes_changes_and_goes_flows_into_the_server(
    fed: FromArchive, pacs: Pacs, asked: Asked
) -> None:
    for study in (1, 2, 3):
        pacs.store(study)
    first = fed.sync()
    assert (first.code, first.report["studies"]) == (0, 3)
    assert len(metadata(asked)) == 3
    stated = fed.stated()
    assert set(versions(fed.site.url, stated).values()) == {"1"}

    metadata(asked)
    again = fed.sync()
    assert (again.code, did(again), metadata(asked)) == (0, {}, [])
    assert (again.report["studies"], again.report["instances"]) == (3, 3)

    pacs.store(4)
    pacs.store(2, 2)
    pacs.lose(3)
    changed = fed.sync()
    assert changed.code == 3  # one has vanished
    assert sorted(one.split("/")[3] for one in metadata(asked)) == sorted(
        [pacs.made.uid(2), pacs.made.uid(4)]
    )
    assert changed.report["studies"] == 3
    assert changed.report["vanished"] == 1
    assert fed.verify().code == 0
    now = held(fed.site.url, stated)
    assert sorted(one["numberOfInstances"] for one in now.values() if counts(one)) == [1, 1, 2]
    assert fed.sync().report["resources"].get("created", 0) == 0


def counts(resource: dict[str, Any]) -> bool:
    """Whether it is an ImagingStudy."""
    return str(resource["resourceType"]) == "ImagingStudy"


def test_an_instance_that_is_deleted_is_taken_from_its_study(
    fed: FromArchive, pacs: Pacs, asked: Asked
) -> None:
    pacs.store(1, 1)
    pacs.store(1, 2)
    pacs.store(2)
    assert fed.sync().code == 0
    metadata(asked)
    pacs.lose(1, 1, 2)
    run = fed.sync()
    assert (run.code, len(metadata(asked))) == (0, 1)
    (study,) = [one for one in fed.stated().values() if is_of(one, pacs.made.uid(1))]
    (there,) = held(fed.site.url, [f"ImagingStudy/{study['id']}"]).values()
    assert there["numberOfInstances"] == 1


def is_of(resource: dict[str, Any], uid: str) -> bool:
    """Whether it is the ImagingStudy of a study."""
    return counts(resource) and f"urn:oid:{uid}" in str(resource["identifier"])


def test_an_instance_that_is_stored_anew_with_other_markers_is_stated_anew(
    fed: FromArchive, pacs: Pacs
) -> None:
    pacs.store(1)
    pacs.store(2)
    fed.sync()
    pacs.store(1, DeidentificationMethod="tool 2.0")
    run = fed.sync()
    assert run.code == 0
    assert did(run) == {"updated": 2}  # the study, and its statement
    assert fed.verify().code == 0


def test_a_log_that_was_cleared_is_told_and_all_is_read(
    fed: FromArchive, pacs: Pacs, asked: Asked
) -> None:
    for study in (1, 2):
        pacs.store(study)
    fed.sync()
    pacs.store(1, 2)
    pacs.orthanc.ask("/changes", "DELETE")
    pacs.store(2, 2)
    metadata(asked)
    run = fed.sync()
    assert len(metadata(asked)) == 2
    assert '"changes-lost"' in run.out
    assert run.code == 0
    (one, other) = [one for one in held(fed.site.url, fed.stated()).values() if counts(one)]
    assert (one["numberOfInstances"], other["numberOfInstances"]) == (2, 2)
    metadata(asked)
    assert (fed.sync().code, metadata(asked)) == (0, [])


def test_full_reads_all(fed: FromArchive, pacs: Pacs, asked: Asked) -> None:
    pacs.store(1)
    fed.sync()
    metadata(asked)
    run = fed.sync("--full")
    assert (run.code, did(run), len(metadata(asked))) == (0, {}, 1)


def test_a_part_of_an_archive_takes_nothing_away(fed: FromArchive, pacs: Pacs) -> None:
    for study in (1, 2, 3):
        pacs.store(study)
    fed.sync()
    run = fed.sync("--limit", "1")
    assert (run.code, run.report["studies"], run.report["vanished"]) == (0, 1, 0)
    assert fed.verify().report["ok"] == len(fed.stated())


def test_a_sample_says_so_and_never_shrinks_a_study(
    fed: FromArchive, pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        pacs.store(1, number)
    fed.sync()
    before = versions(fed.site.url, fed.stated())
    monkeypatch.setenv("DEIDFHIR_SOURCE_SAMPLE", "1")
    run = fed.sync()
    assert (run.code, run.report["instances"], did(run)) == (0, 1, {})
    assert '"archive-sampled"' in run.out
    assert versions(fed.site.url, before) == before


def test_the_same_studies_from_a_folder_and_from_the_archive_are_one_statement(
    fed: FromArchive, pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEIDFHIR_DICOMWEB_ROOT", f"{pacs.orthanc.url}/dicom-web")
    for study in (1, 2):
        pacs.store(study)
    assert fed.site.sync(pacs.made.folder).code == 0
    run = fed.sync()
    assert (run.code, did(run)) == (0, {})
    pacs.lose(2)
    assert fed.sync().report["vanished"] == 0  # the folder still has it


def test_a_study_that_comes_back_is_restated(fed: FromArchive, pacs: Pacs) -> None:
    for study in (1, 2, 3):
        pacs.store(study)
    fed.sync()
    pacs.lose(2)
    assert fed.sync().report["vanished"] == 1
    pacs.store(2)
    run = fed.sync()
    assert (run.code, run.report["vanished"]) == (0, 0)
    assert fed.verify().code == 0


def test_an_archive_that_is_empty_asks_before_anything_vanishes(
    fed: FromArchive, pacs: Pacs
) -> None:
    pacs.store(1)
    fed.sync()
    pacs.lose(1)
    run = fed.sync()
    assert run.code == 1
    assert "--confirm-vanished 1" in run.err
    (study,) = held_studies(fed, pacs)
    assert study["status"] == "available"


def held_studies(fed: FromArchive, pacs: Pacs) -> list[dict[str, Any]]:
    """Return the ImagingStudy of study 1 on the server."""
    query = f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{pacs.made.uid(1)}"
    bundle = requests.get(f"{fed.site.url}/{query}", timeout=30).json()
    return [one["resource"] for one in bundle.get("entry", [])]


@pytest.mark.parametrize("scheme", ["dicomweb", "orthanc"])
def test_an_archive_that_demands_a_password_gets_it_from_its_access_file(
    scheme: str, cli: Cli, tmp_path: Path, locked: Pacs
) -> None:
    locked.store(1)
    address = {"dicomweb": locked.orthanc.dicomweb, "orthanc": locked.orthanc.address}[scheme]
    refused = cli("show", "--from", address)
    assert refused.code == 1
    assert "PLANTED" not in refused.err + refused.out
    secret = tmp_path / "password"
    secret.write_text("PLANTED-secret\n")
    access = tmp_path / "access.toml"
    access.write_text('[auth]\nkind = "basic"\nuser = "reader"\npassword = {file = "password"}\n')
    run = cli("show", "--from", address, "--source-access", access, "--json")
    assert (run.code, run.report.get("instances")) == (0, 1), run.out + run.err
    doctor = cli("doctor", "--from", address, "--source-access", access, "--json")
    assert {one["state"] for one in doctor.report["source_legs"]} <= {"ok", "warning"}
    failing = cli("doctor", "--from", address, "--json")
    states = {one["leg"]: one["state"] for one in failing.report["source_legs"]}
    assert (states["search"], states["metadata"]) == ("failed", "not reached")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Pacs]:
    """Give an Orthanc that asks for a password."""
    from tests.integration.support import Archive  # noqa: PLC0415
    from tests.orthanc.server import Orthanc  # noqa: PLC0415

    with Orthanc(tmp_path / "locked", users={"reader": "PLANTED-secret"}) as made:
        yield Pacs(made, Archive(tmp_path / "made"))


def test_python_code_reads_syncs_and_verifies_an_archive_as_the_commands_do(
    fed: FromArchive, pacs: Pacs
) -> None:
    for study in (1, 2):
        pacs.store(study)
    studies = list(studies_from_archive(fed.address))
    assert [one.uid for one in studies] == sorted(pacs.made.uid(one) for one in (1, 2))
    some = studies_from_archive(fed.address, matching={"StudyInstanceUID": pacs.made.uid(2)})
    assert [one.uid for one in some] == [pacs.made.uid(2)]
    context = MappingContext("R4", load_settings(None))
    journal = fed.site.journal
    run = sync_archive(fed.address, fed.site.url, context=context, journal=journal)
    assert (run.exit_code, run.report.resources["created"] > 0) == (0, True)
    verified = verify_archive(fed.address, fed.site.url, context=context, journal=journal)
    assert verified.exit_code == 0
    assert did(fed.sync()) == {}
    found: list[str] = []
    sampled = MappingContext(settings=Settings(source_sample=1))
    list(
        studies_from_archive(
            fed.address, context=sampled, on_skip=lambda one: found.append(one.code)
        )
    )
    assert found == ["archive-sampled"]
