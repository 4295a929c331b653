"""A real Orthanc with every real object gives what the same files give, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.archive.archive import Query
from deidfhir.archive.dicomweb import DicomWeb
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.archive.search import Search
from tests.integration.archives import map_of
from tests.integration.expected import WITHOUT_UID
from tests.integration.support import Json
from tests.orthanc.stored import part10, without_evidence
from tests.synthetic.pathologies import PATHOLOGIES
from tools import bench_corpus

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.orthanc.server import Orthanc

REFUSED = {
    "fodicom_siemens_NO_GH1339.dcm": "its pixel data has a length that no file has",
    WITHOUT_UID: "it has no SOP Instance UID",
    "701-1-1.dcm": "a sequence that is malformed",
    "702-1-1.dcm": "the same",
    "703-1-1.dcm": "the same",
}
"""Files that Orthanc does not take: two real objects, and three of one oddity."""

REWRITTEN = {
    "1.2.826.0.1.3680043.8.498.62.202": "a sequence that was stored with VR UN is not in metadata",
    "1.2.826.0.1.3680043.8.498.62.301": "a text ends at its first NUL",
}
"""Studies of which Orthanc's metadata says something else than the stored file."""

UNCONVERTED = {
    "1.3.6.1.4.1.5962.99.1.1516012269.2092621929.1509049565933.1720.0": "an empty item among codes",
    "1.2.826.0.1.3680043.8.498.62.2804": "an empty item among codes",
}
"""Studies that Orthanc takes and lists, but fails on when it is asked for metadata."""


@pytest.fixture(scope="module")
def files(real_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the real objects, the survey's oddities but for JSON, and a corpus of all codings."""
    folder = tmp_path_factory.mktemp("files")
    for one in PATHOLOGIES:
        one.write(folder / "odd")
    bench_corpus.make(folder / "corpus", 1, 64)
    real = [one for one in real_folder.iterdir() if one.suffix not in (".tsv", ".md")]
    assert len(real) == 56
    made = [one for one in folder.rglob("*") if one.is_file() and one.suffix != ".json"]
    return sorted(real) + sorted(made)


@pytest.fixture(scope="module")
def stored(
    orthanc: Orthanc, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, list[str]]]:
    """Store all that Orthanc takes; give a folder of the same, and the names of the rest."""
    orthanc.clear()
    folder = tmp_path_factory.mktemp("stored")
    refused = []
    for name, data in part10(files):
        (identity,) = orthanc.put([data])
        if identity:  # the last one of those that contend for a UID stays there
            (folder / f"{identity}.dcm").write_bytes(without_evidence(data))
        else:
            refused.append(name)
    yield folder, refused
    orthanc.clear()


@pytest.fixture
def rooted(orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folder's images be had by DICOMweb where the archive's are."""
    monkeypatch.setenv("DEIDFHIR_DICOMWEB_ROOT", f"{orthanc.url}/dicom-web")


def by_study(text: str) -> dict[str, str]:
    """Return the Bundles by Study Instance UID, each as it was written."""
    found = {}
    for line in text.splitlines():
        every = [entry["resource"] for entry in json.loads(line)["entry"]]
        (study,) = [one for one in every if one["resourceType"] == "ImagingStudy"]
        found[study["identifier"][0]["value"].removeprefix("urn:oid:")] = line
    return found


@pytest.mark.usefixtures("namespace", "rooted")
def test_an_archive_gives_the_same_bundles_as_the_files_that_were_stored_in_it(
    cli: Cli, orthanc: Orthanc, stored: tuple[Path, list[str]]
) -> None:
    folder, refused = stored
    assert set(refused) == set(REFUSED)
    of_files = by_study(map_of(cli, folder).out)
    for address in (orthanc.dicomweb, orthanc.address):
        run = map_of(cli, "--from", address)
        of_archive = by_study(run.out)
        assert set(of_files) - set(of_archive) == set(UNCONVERTED)
        assert run.code == 3
        assert f"skipped   {len(UNCONVERTED)}\n" in run.err
        assert list(of_archive) == [one for one in of_files if one in of_archive]
        assert len(of_archive) > 150
        differ = {uid for uid, bundle in of_archive.items() if of_files[uid] != bundle}
        assert differ == set(REWRITTEN)


@pytest.mark.usefixtures("namespace", "stored")
def test_each_study_of_an_archive_is_linked_to_its_root(cli: Cli, orthanc: Orthanc) -> None:
    run = map_of(cli, "--from", orthanc.dicomweb, "--limit", "3")
    assert len(run.lines) == 3
    for bundle in run.lines:
        every = {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"]}
        assert every["Endpoint"]["address"] == f"{orthanc.url}/dicom-web"
        (link,) = every["ImagingStudy"]["endpoint"]
        assert link["reference"] == f"Endpoint/{every['Endpoint']['id']}"


def named(study: Json) -> Json:
    """Return what is shown of a study, without the paths."""
    return study | {"path": "", "findings": [one | {"path": ""} for one in study["findings"]]}


@pytest.mark.usefixtures("namespace", "rooted")
def test_what_is_shown_and_found_is_the_same_but_for_the_names(
    cli: Cli, orthanc: Orthanc, stored: tuple[Path, list[str]]
) -> None:
    folder, _ = stored
    files = cli("show", folder, "--json").report
    archive = cli("show", "--from", orthanc.dicomweb, "--json").report
    assert archive["instances"] == files["instances"] - len(UNCONVERTED)
    shown = [named(one) for one in files["studies"] if one["uid"] not in UNCONVERTED]
    pairs = zip(map(named, archive["studies"]), shown, strict=True)
    differ = {one["uid"] for one, other in pairs if one != other}
    with_un = "1.2.826.0.1.3680043.8.498.62.201"  # private elements: it was written with VR UN
    assert differ == {*REWRITTEN, with_un}
    root = f"{orthanc.url}/dicom-web#"
    assert all(one["path"].startswith(root) for one in archive["studies"])


@pytest.mark.parametrize("page", [1, 7])
@pytest.mark.usefixtures("stored")
def test_the_length_of_pages_makes_no_difference(orthanc: Orthanc, page: int) -> None:
    archive = open_archive(orthanc.dicomweb, Opening())
    assert isinstance(archive, DicomWeb)
    whole = {one.uid: one.instances for one in archive.studies(Query())}
    paged = Search(archive.transport, page).studies(Query())
    assert [(one.uid, one.instances) for one in paged] == list(whole.items())
    assert sum(one or 0 for one in whole.values()) == len(orthanc.ask("/instances"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--modality", "US"],
        ["--query", "ModalitiesInStudy=US"],
        ["--query", "00080061=US"],
        ["--study-date", "20040826-20041231"],
    ],
)
@pytest.mark.usefixtures("namespace", "stored")
def test_a_filter_is_the_archives_own(cli: Cli, orthanc: Orthanc, arguments: list[str]) -> None:
    names = {"--modality": "ModalitiesInStudy=", "--study-date": "StudyDate=", "--query": ""}
    query = names[arguments[0]] + arguments[1]
    found = {one["0020000D"]["Value"][0] for one in orthanc.ask(f"/dicom-web/studies?{query}")}
    assert 0 < len(found) < len(orthanc.ask("/studies"))
    run = map_of(cli, "--from", orthanc.dicomweb, *arguments)
    assert set(by_study(run.out)) == found - set(UNCONVERTED)
