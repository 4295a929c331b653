"""The ways in which headers are read: the floor, the scan, and what programs do with pydicom."""

from __future__ import annotations

import os
from functools import partial

from pydicom import dcmread

from deidfhir.dicom.scan.prefix import opened
from deidfhir.model.attributes import attributes
from tools.bench_gates import Corpus, Gate, Way

FLOOR, SCAN, PYDICOM = "read 8 KB", "scan", "pydicom"
GATES = (Gate(SCAN, FLOOR, 12, 6), Gate(SCAN, PYDICOM, 1 / 15, 1 / 30))
_FLOOR_BYTES = 8192


def floor(path: str) -> None:
    """Read the first bytes of a file, and do nothing with them."""
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, _FLOOR_BYTES)
    os.close(descriptor)


def by_pydicom(path: str) -> list[object]:
    """Read a header as programs do that use pydicom alone: all of it, then by keyword."""
    dataset = dcmread(path, stop_before_pixels=True)
    return [dataset.get(one.keyword) for one in attributes("object").values()]


def reading_ways(corpus: Corpus) -> dict[str, Way]:
    """Return the ways, each over the files of a corpus.

    Args:
        corpus: The files.
    """

    def each(paths: tuple[str, ...], read: object) -> int:
        assert callable(read)  # noqa: S101 - one of those below
        for path in paths:
            read(path)
        return len(paths)

    return {
        FLOOR: partial(each, corpus.paths, floor),
        SCAN: partial(each, corpus.paths, opened),
        PYDICOM: partial(each, corpus.some, by_pydicom),
    }
