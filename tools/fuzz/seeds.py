"""The files that a run begins with: what our generators make, what pydicom ships, what is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom.data
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from tests.synthetic.objects import encode
from tests.synthetic.pathologies import PATHOLOGIES
from tests.synthetic.studies import STUDIES
from tools.bench_corpus import make

LARGEST = 400_000
"""Bytes of the largest file that is a seed."""

_SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    ExplicitVRBigEndian,
)
_OF_CORPUS = (1, 2, 39, 40, 51, 52, 80, 101, 102, 151, 152, 160)
"""Of a study of the corpus: two of each series, those that are deflated, those with a blob."""


@dataclass
class Seeds:
    """The seeds of a run, each content once.

    Args:
        made: Those that our generators make.
        shipped: Those that pydicom ships.
        given: Those of other folders.
    """

    made: list[bytes] = field(default_factory=list)
    shipped: list[bytes] = field(default_factory=list)
    given: list[bytes] = field(default_factory=list)

    @property
    def all(self) -> list[bytes]:
        """All of them, each once."""
        return list(dict.fromkeys([*self.made, *self.shipped, *self.given]))


def seeds(more: list[Path]) -> Seeds:
    """Return the seeds.

    Args:
        more: Further folders with DICOM files.
    """
    shipped = Path(pydicom.data.__file__).parent
    given = [data for folder in more for data in _below(folder)]
    return Seeds(_made(), list(_below(shipped)), given)


def _below(folder: Path) -> Iterator[bytes]:
    """Yield the DICOM files below a folder that are small enough, with or without preamble."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        if path.stat().st_size <= LARGEST:
            data = path.read_bytes()
            if data[128:132] == b"DICM" or path.suffix == ".dcm":
                yield data


def _made() -> list[bytes]:
    found = [
        encode(next(made()), syntax, undefined_length=delimited)
        for made in STUDIES.values()
        for syntax in _SYNTAXES
        for delimited in (False, True)
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "corpus", 1, pixels=64)
        corpus = list(_below(folder / "corpus"))
        found += [corpus[number - 1] for number in _OF_CORPUS]
        for pathology in PATHOLOGIES:
            pathology.write(folder / "odd")
        found += _below(folder / "odd")
    return found
