"""The whole public API in use; never run, only type-checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import deidfhir
from deidfhir import MASKED, Finding, MappingContext, Settings, Verdict

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def one_data_set_to_a_bundle(dataset: Dataset) -> dict[str, Any]:
    """A gateway maps what passes through it."""
    context = MappingContext("R5", Settings(namespace="https://site.example/ids"))
    mapped: deidfhir.MappedStudy = deidfhir.map_dataset(dataset, context, accept="removed,unknown")
    return mapped.bundle()


def a_site_with_a_policy(study: deidfhir.Study) -> dict[str, Any]:
    """A site loosens and tightens what leaves."""
    policy: deidfhir.Policy = deidfhir.Policy(
        name="research",
        accept=frozenset({Verdict.REMOVED, Verdict.UNKNOWN}),
        withhold=frozenset({"ContributionDescription"}),
    )
    context = MappingContext("R4", policy=policy)
    same = MappingContext("R4", policy=deidfhir.load_policy("policy.toml"))
    return deidfhir.map_study(study, context if policy.refuse else same).bundle()


def a_stream_to_bundles(metadata: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A stream of DICOM JSON becomes studies, and studies become Bundles."""
    skipped: list[Finding] = []
    bundles = []
    for study in deidfhir.studies_from_json(metadata, skipped.append):
        try:
            bundles.append(deidfhir.map_study(study).bundle())
        except deidfhir.NotAccepted as refused:
            assert refused.exit_code == 3
            assert study.verdict is not Verdict.REMOVED
    return bundles


def a_sync_job(folder: Path) -> int:
    """A job ends with the command's exit code."""
    settings = deidfhir.load_settings(None)
    try:
        run = deidfhir.sync_paths(
            [folder], "http://127.0.0.1:8080/fhir", context=MappingContext("R4", settings)
        )
        verified = deidfhir.verify_paths([folder], "http://127.0.0.1:8080/fhir")
    except (deidfhir.UsageError, deidfhir.FatalError) as error:
        return error.exit_code
    created: int = run.report.resources["created"]
    return max(run.exit_code, verified.exit_code) if created else 0


def an_archive_job(address: str) -> int:
    """An archive stands in place of a folder."""
    for study in deidfhir.studies_from_archive(address, matching={"StudyDate": "20260101-"}):
        assert study.instances
    run = deidfhir.sync_archive(address, "out", limit=10, accept="removed")
    return max(run.exit_code, deidfhir.verify_archive(address, "out").exit_code)


def what_a_server_states(bundle: dict[str, Any]) -> list[str]:
    """Integration code asks how a study was de-identified."""
    texts: list[str] = []
    for study in deidfhir.read_back([bundle]):
        stated: deidfhir.StatedStudy = study
        for instance in stated.instances:
            one: deidfhir.StatedInstance = instance
            markers: deidfhir.Markers = one.markers
            texts += markers.method_texts
            for item in markers.equipment:
                assert ("StationName", MASKED) in item.elements
                texts.append(item.first("Manufacturer"))
    return texts


def errors_by_recovery(error: deidfhir.DeidFhirError) -> str:
    """Errors say what to do next."""
    match error:
        case deidfhir.SkippableError() | deidfhir.DataError():
            return "skip"
        case deidfhir.RetriableError():
            return "later"
        case _:
            return error.code


def from_paths(folder: Path) -> list[deidfhir.Instance]:
    """Files become studies without a target."""
    studies: list[deidfhir.Study] = list(deidfhir.studies_from_paths([folder]))
    items: list[deidfhir.Item] = [
        item for study in studies for one in study.instances for item in one.markers.equipment
    ]
    assert all(deidfhir.__version__ for _ in items)
    return [one for study in studies for one in study.instances]


def from_data_sets(datasets: list[Dataset]) -> deidfhir.Study:
    """Data sets become one study."""
    (study,) = deidfhir.studies_from_datasets(datasets)
    return study


def the_markers_back(bundles: list[dict[str, Any]]) -> list[Dataset]:
    """What FHIR states comes back as data sets."""
    return list(deidfhir.datasets_of(bundles))
