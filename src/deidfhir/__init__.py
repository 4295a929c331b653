"""How DICOM images were de-identified, said in FHIR."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from deidfhir.version import __version__

if TYPE_CHECKING:
    from deidfhir.api import (
        NotAccepted,
        datasets_of,
        map_dataset,
        map_study,
        studies_from_datasets,
        studies_from_json,
        studies_from_paths,
        sync_paths,
        verify_paths,
    )
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
    "NotAccepted": "api",
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
    "map_dataset": "api",
    "map_study": "api",
    "read_back": "mapping.reverse",
    "studies_from_datasets": "api",
    "studies_from_json": "api",
    "studies_from_paths": "api",
    "datasets_of": "api",
    "sync_paths": "api",
    "verify_paths": "api",
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
    "studies_from_datasets",
    "studies_from_json",
    "studies_from_paths",
    "sync_paths",
    "verify_paths",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
