"""A Part 10 file → wanted elements: the header alone, never pixels."""

from __future__ import annotations

from pathlib import Path

from deidfhir.dicom.elements import Header
from deidfhir.dicom.fallback import header_by_pydicom
from deidfhir.dicom.scan.prefix import scanned


def read_header(path: Path) -> Header:
    """Return the wanted elements of a file with or without preamble, in any transfer syntax.

    The scan gives just what pydicom would, or nothing: then pydicom says what the file states, or
    why it states nothing.

    Args:
        path: The file.

    Raises:
        ObjectSkipped: `file-unreadable`, `truncated`, `not-dicom` or `damaged`.
    """
    try:
        found = scanned(path)
    except (OSError, ValueError):
        found = None
    return header_by_pydicom(path) if found is None else found
