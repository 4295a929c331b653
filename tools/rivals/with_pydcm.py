"""pydcm: a study's folder → an ImagingStudy with its Patient, by a native converter, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module


def make() -> Callable[[str], int]:
    """Return what converts a study and says how many instances its ImagingStudy lists."""
    imaging_study = import_module("pydcm.fhir").imaging_study

    def convert(folder: str) -> int:
        study = imaging_study(folder)
        json.dumps(study)
        return sum(len(series["instance"]) for series in study["series"])

    return convert
