"""Objects in which every attribute that could identify holds a value that is nowhere else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from pydicom import config, dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from .canary_places import Planter
from .canary_values import SERIALS, Canary, Mint, canaries_in, tokens_in
from .dicomjson import json_object
from .objects import SOP_CLASSES, item, put, tag_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pydicom import Dataset

__all__ = [
    "PLACES",
    "SERIALS",
    "Canary",
    "canaries_in",
    "json_of",
    "planted",
    "tokens_in",
    "write_planted",
]

PLACES: Final = ("root", "nested", "codes", "equipment", "private", "file meta")


def planted(
    markers: dict[str, object], serial: int = 0, places: Collection[str] = PLACES
) -> tuple[Dataset, tuple[Canary, ...]]:
    """Make an object full of canaries; the same call makes the same object.

    Its UIDs are canaries too, so each serial is a study of its own.

    Args:
        markers: Attributes of the root by keyword, which get no canary; None keeps one absent.
        serial: The number of the object, 0 to `SERIALS` - 1.
        places: Which of `PLACES` are planted. `root` always is: an object needs its UIDs.

    Returns:
        The object, with the File Meta Information that `write_planted` writes, and its canaries.
    """
    planter = Planter(Mint(serial))
    made = item(SpecificCharacterSet="ISO_IR 100", SOPClassUID=SOP_CLASSES["CT"], Modality="CT")
    put(made, **copy.deepcopy(markers))
    taken = {int(tag_of(keyword)) for keyword in markers}
    planter.root(made, taken)
    if "nested" in places:
        planter.nested(made, taken)
    if "codes" in places:
        planter.method_codes(made)
    if "equipment" in places and "ContributingEquipmentSequence" not in markers:
        planter.equipment(made)
    if "private" in places:
        planter.private(made)
    made.file_meta = planter.file_meta() if "file meta" in places else FileMetaDataset()
    return made, tuple(planter.canaries)


def write_planted(
    dataset: Dataset, path: Path, transfer_syntax: str = ExplicitVRLittleEndian
) -> Path:
    """Write an object as a Part 10 file with the File Meta Information that it carries.

    Args:
        dataset: As `planted` made it.
        path: The file; its folder is made if need be.
        transfer_syntax: Any transfer syntax; there are no pixels that it could compress.
    """
    file = FileDataset("", dataset, preamble=b"\0" * 128)
    file.file_meta = copy.deepcopy(dataset.file_meta)
    put(
        file.file_meta,
        FileMetaInformationGroupLength=0,
        FileMetaInformationVersion=b"\0\1",
        MediaStorageSOPClassUID=str(dataset.SOPClassUID),
        TransferSyntaxUID=UID(transfer_syntax),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # The writer would put the object's UID in the place of the one in the File Meta Information,
    # where a de-identifier may have forgotten the original.
    with config.disable_value_validation():
        dcmwrite(path, file, enforce_file_format=False)
    return path


def json_of(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Return the DICOM JSON model of an object, with the File Meta Information left out."""
    with config.disable_value_validation():
        return json_object(dataset)
