"""How DICOM images were de-identified, said in FHIR."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from deidfhir.version import __version__

if TYPE_CHECKING:
    from deidfhir.api.archives import studies_from_archive, sync_archive, verify_archive
    from deidfhir.api.objects import (
        NotAccepted,
        datasets_of,
        map_dataset,
        map_study,
        studies_from_datasets,
        studies_from_json,
        studies_from_paths,
    )
    from deidfhir.api.runs import sync_paths, verify_paths
    from deidfhir.config import Settings, load_settings
    from deidfhir.errors import (
        DataError,
        DeidFhirError,
        FatalError,
        RetriableError,
        SkippableError,
        UsageError,
    )
    from deidfhir.mapping.context import MappingContext
    from deidfhir.mapping.reverse import StatedInstance, StatedStudy, read_back
    from deidfhir.mapping.study import MappedStudy
    from deidfhir.model.finding import Finding
    from deidfhir.model.record import MASKED, Instance, Item, Markers
    from deidfhir.model.study import Study
    from deidfhir.model.verdict import Verdict
    from deidfhir.policy.loading import load_policy
    from deidfhir.policy.policy import Policy


# Public name -> module. Loaded on first use: `deidfhir --version` needs none of them.
_HOMES = {
    "DataError": "errors",
    "DeidFhirError": "errors",
    "FatalError": "errors",
    "Finding": "model.finding",
    "Instance": "model.record",
    "Item": "model.record",
    "MASKED": "model.record",
    "MappedStudy": "mapping.study",
    "MappingContext": "mapping.context",
    "Markers": "model.record",
    "NotAccepted": "api.objects",
    "Policy": "policy.policy",
    "RetriableError": "errors",
    "Settings": "config",
    "SkippableError": "errors",
    "StatedInstance": "mapping.reverse",
    "StatedStudy": "mapping.reverse",
    "Study": "model.study",
    "UsageError": "errors",
    "Verdict": "model.verdict",
    "load_policy": "policy.loading",
    "load_settings": "config",
    "map_dataset": "api.objects",
    "map_study": "api.objects",
    "read_back": "mapping.reverse",
    "studies_from_datasets": "api.objects",
    "studies_from_json": "api.objects",
    "studies_from_paths": "api.objects",
    "datasets_of": "api.objects",
    "sync_paths": "api.runs",
    "verify_paths": "api.runs",
    "studies_from_archive": "api.archives",
    "sync_archive": "api.archives",
    "verify_archive": "api.archives",
}

__all__ = [
    "MASKED",
    "DataError",
    "DeidFhirError",
    "FatalError",
    "Finding",
    "Instance",
    "Item",
    "MappedStudy",
    "MappingContext",
    "Markers",
    "NotAccepted",
    "Policy",
    "RetriableError",
    "Settings",
    "SkippableError",
    "StatedInstance",
    "StatedStudy",
    "Study",
    "UsageError",
    "Verdict",
    "__version__",
    "datasets_of",
    "load_policy",
    "load_settings",
    "map_dataset",
    "map_study",
    "read_back",
    "studies_from_archive",
    "studies_from_datasets",
    "studies_from_json",
    "studies_from_paths",
    "sync_archive",
    "sync_paths",
    "verify_archive",
    "verify_paths",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
