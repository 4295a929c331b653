"""DICOM JSON (PS3.18 Annex F) of the synthetic objects, and its spoilt forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydicom import Dataset

from .objects import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def json_object(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Return the DICOM JSON model of an object (PS3.18 F), without its pixels."""
    plain = Dataset(dataset)
    plain.pop("PixelData", None)
    return plain.to_json_dict()


def write_json(objects: Sequence[dict[str, Any]] | dict[str, Any], path: Path) -> Path:
    """Write DICOM JSON: a list as WADO-RS metadata have it, or one object alone."""
    text = json.dumps(objects, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return write_bytes(text.encode(), path)
