"""File-sets with a DICOMDIR, as media have them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from .objects import write

NEEDED: Final[dict[str, Any]] = {
    "StudyDate": "20200102",
    "StudyTime": "030405",
    "StudyID": "1",
}
"""What a DICOMDIR needs of each object (PS3.3 F.5)."""


def write_media(made: Iterable[Dataset], folder: Path, source: Path) -> Path:
    """Write a file-set and return its DICOMDIR.

    Args:
        made: Objects that have `NEEDED`.
        folder: The folder of the file-set.
        source: A folder for the objects before they are part of it.
    """
    media = FileSet()
    for number, one in enumerate(made):
        media.add(write(one, source / f"{number}.dcm"))
    media.write(folder)
    media._stage["t"].cleanup()  # pydicom would leave it to the collector
    return folder / "DICOMDIR"


def records(directory: Path) -> Dataset:
    """Return a DICOMDIR as a data set."""
    return dcmread(directory)
