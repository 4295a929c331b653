"""A sync of an archive that has not changed, on a real server: nothing is opened, nothing asked."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.config import load_settings
from deidfhir.dicom.headers import look_at
from deidfhir.dicom.scan.prefix import Opened
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import slices
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.web.timing import never
from tests.integration.strangers import CODED, store, theirs
from tests.integration.support import Archive, Site, delete, held, only
from tests.synthetic.objects import codes

if TYPE_CHECKING:
    from tests.conftest import Ran


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the names of the files that are opened."""
    names: list[str] = []

    def looking_at(path: str) -> Opened:
        names.append(Path(path).name)
        return look_at(path)

    monkeypatch.setattr(slices, "look_at", looking_at)
    return names


@pytest.fixture
def sync(r4_site: Site, archive: Archive, opened: list[str]) -> Any:  # noqa: ANN401 - a function of options
    """Sync the archive once its files can no longer change unseen."""

    def run(*options: object) -> Ran:
        time.sleep(0.1)
        opened.clear()
        return r4_site.sync(archive.folder, *options)

    return run


def test_an_unchanged_archive_costs_no_open_and_no_request(
    sync: Any,  # noqa: ANN401
    archive: Archive,
    opened: list[str],
) -> None:
    for study in (1, 2, 3):
        archive.put(study)
    archive.put(4, PatientIdentityRemoved="NO")
    first = sync()
    assert (first.code, first.report["settled"], len(opened)) == (3, 0, 4)
    second = sync()
    assert (second.code, second.report["settled"], opened) == (3, 4, [])
    assert second.report["requests"] == 0
    for same in ("studies", "instances", "verdicts", "refused", "findings", "existing"):
        assert second.report[same] == first.report[same]
    total = sum(first.report["resources"].values())
    assert second.report["resources"]["unchanged"] == total
    archive.put(2, DeidentificationMethod="tool 2.0")
    third = sync()
    assert (third.report["settled"], len(opened)) == (0, 4)  # all lie in one folder
    assert third.report["resources"]["updated"] == 2
    assert sync().report["settled"] == 4
    full = sync("--full")
    assert (full.report["settled"], len(opened)) == (0, 4)


def test_a_study_that_stands_by_someone_elses_is_asked_for_in_each_run(
    sync: Any,  # noqa: ANN401
    r4_site: Site,
    archive: Archive,
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DEIDFHIR_EXISTING")
    archive.put(1, DeidentificationMethodCodeSequence=codes(*CODED))
    store(r4_site.url, theirs(archive, 1, 1))
    assert sync().report["existing"]["linked"] == 1
    second = sync()
    assert (second.report["settled"], len(opened)) == (0, 1)
    assert second.report["requests"] > 0
    store(r4_site.url, theirs(archive, 1, 1, description="written by its owner since"))
    third = sync()
    assert (third.report["settled"], third.report["existing"]["linked"]) == (0, 1)
    assert third.report["resources"]["failed"] == 0


def test_what_was_acknowledged_before_a_run_was_stopped_is_not_opened_again(
    r4_site: Site,
    archive: Archive,
    opened: list[str],
) -> None:
    for study in range(30):  # more than go into the first transaction
        put = Archive(archive.folder / str(study), int(archive.uid(study).rpartition(".")[2]))
        put.put(0)
    time.sleep(0.1)
    asked = itertools.count(1)
    # Once the files were read, and before each transaction.
    stop = lambda: "interrupted" * (next(asked) > 2)  # noqa: E731
    where = TargetOptions(r4_site.url, r4_site.journal)
    options = RunOptions(
        Files((archive.folder,)), MappingContext("R4", load_settings(None)), stop=stop
    )
    first = run_sync(options, where)
    assert (first.exit_code, first.report.resources["created"]) == (5, 50)
    opened.clear()
    second = run_sync(replace(options, stop=never), where)
    assert (second.exit_code, len(second.work.reading.settled), len(opened)) == (0, 25, 5)
    assert second.report.resources == {"created": 10, "unchanged": 50}


def test_what_verify_finds_missing_is_no_longer_settled(
    sync: Any,  # noqa: ANN401
    r4_site: Site,
    archive: Archive,
) -> None:
    archive.put(1)
    sync()
    (name,) = only("Provenance", r4_site.stated(archive.folder))
    delete(r4_site.url, name)
    assert sync().report["settled"] == 1
    assert r4_site.verify(archive.folder, "--repair").code == 0
    after = sync()
    assert after.report["resources"]["failed"] == 0
    assert name in held(r4_site.url, [name])
