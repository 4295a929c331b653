"""dicom2fhir: a study's folder → a Bundle of its ImagingStudy, Patient and Device, as JSON."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from importlib import import_module


def make() -> Callable[[str], int]:
    """Return what converts a study and says how many instances its ImagingStudy lists."""
    warnings.simplefilter("ignore")  # pydicom's, of values that it reads all the same
    from_directory = import_module("dicom2fhir.dicom2fhir").from_directory

    def convert(folder: str) -> int:
        # It does not start without a zone, and lists no instances unless asked to.
        config = {
            "dicom_timezone": "Europe/Berlin",
            "generator": {"imaging_study": {"add_instances": True}},
        }
        bundle = asyncio.run(from_directory(folder, config))
        bundle.model_dump_json()
        found = [one.resource for one in bundle.entry]
        listed = [one.series for one in found if one.get_resource_type() == "ImagingStudy"]
        return sum(len(one.instance) for series in listed for one in series)

    return convert
