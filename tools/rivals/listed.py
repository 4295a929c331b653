"""The rivals: which, in which version, and what they leave out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.rivals.home import Needs

STUDY = "study"
"""The way of what makes FHIR of a study; any other way reads headers."""
_SCRIPTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Rival:
    """What is measured.

    Args:
        name: What it is called.
        version: Its version; the one that is installed.
        needs: Its environment.
        script: The file whose `make` returns what is measured.
        way: `top`, `items` or `study`.
        leaves_out: What it does not deliver, in a phrase.
    """

    name: str
    version: str
    needs: Needs
    script: Path
    way: str
    leaves_out: str


def _reader(project: str, version: str, way: str, leaves_out: str) -> Rival:
    name = f"{project}, {'top level' if way == 'top' else 'with items'}"
    needs = Needs(project, (f"{project}=={version}",))
    script = _SCRIPTS / f"with_{project.removeprefix('python-').replace('-', '_').lower()}.py"
    return Rival(name, version, needs, script, way, leaves_out)


_SDL = "an empty IS reads as 0"
_GDCM = "text as stored: padded, not decoded by its character set"
_FHIR = "no Provenance, nothing of how it was de-identified"
RIVALS = (
    _reader("dicomsdl", "0.109.4", "top", f"items of sequences; {_SDL}"),
    _reader("dicomsdl", "0.109.4", "items", _SDL),
    _reader("fastdicom", "0.1.0", "top", "items of sequences"),
    _reader("fastdicom", "0.1.0", "items", "nothing that this corpus has"),
    _reader("python-gdcm", "3.2.6", "top", f"items of sequences; {_GDCM}"),
    _reader("python-gdcm", "3.2.6", "items", _GDCM),
    _reader("SimpleITK", "2.5.7", "top", "items of sequences; text as stored, values not split"),
    _reader("fw-file-rs", "0.9.1", "top", "items of sequences; deflated files"),
    _reader("fw-file-rs", "0.9.1", "items", "deflated files; all is text, values not split"),
    Rival(
        "dicom2fhir",
        "0.1.25",
        # With fhir.resources 8.3, which requires Extension.url, it fails on every study.
        Needs("dicom2fhir", ("dicom2fhir==0.1.25", "fhir.resources==8.2.0")),
        _SCRIPTS / "with_dicom2fhir.py",
        STUDY,
        _FHIR,
    ),
    Rival(
        "pydcm",
        "0.5.0",
        Needs("pydcm", ("pydcm==0.5.0",), (3, 12)),
        _SCRIPTS / "with_pydcm.py",
        STUDY,
        f"{_FHIR}; deflated instances",
    ),
)
