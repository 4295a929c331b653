"""Sample studies of the demo: `python -m tests.synthetic.samples FOLDER`.

Each run writes the same bytes into sub-folders of FOLDER and touches nothing else there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .dicomjson import json_object, write_json
from .objects import encode, instance, write, write_bytes
from .studies import STUDIES, dicom_json

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPLICIT: Final = frozenset({"two-tools-in-turn", "unknown-no-marker"})

TRUNCATED_AT: Final = 420
"""Within the SOP Instance UID, so that no value that a reader needs is whole."""


def write_samples(folder: Path) -> list[Path]:
    """Write all samples below a folder and return their paths, in order."""
    written: list[Path] = []
    for name, make in STUDIES.items():
        # A third of the objects seen in the wild have no VR on the wire.
        syntax = ImplicitVRLittleEndian if name in IMPLICIT else ExplicitVRLittleEndian
        for made in make():
            file = f"{made.Modality.lower()}-{made.SeriesNumber}-{made.InstanceNumber}.dcm"
            written.append(write(made, folder / name / file, syntax))
    metadata = [json_object(made) for made in dicom_json()]
    written.append(write_json(metadata, folder / "dicom-json" / "metadata.json"))
    return written + _write_broken(folder / "broken")


def _write_broken(folder: Path) -> list[Path]:
    """Write what a walk over files must step over: no DICOM, a part of it, nothing."""
    whole = encode(instance(13, PatientIdentityRemoved="YES"), ExplicitVRLittleEndian)
    return [
        write_bytes(b"This folder is not an archive.\n", folder / "README.txt"),
        write_bytes(whole[:TRUNCATED_AT], folder / "truncated.dcm"),
        write_bytes(b"", folder / "empty.dcm"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the samples below the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="tests.synthetic.samples", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args(arguments).folder
    written = write_samples(folder)
    sys.stdout.write(f"{len(written)} files in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
