"""The whole job: from a listing to resources in a server, journaled; and as peers do it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from deidfhir.mapping.context import MappingContext
from deidfhir.model.attributes import attributes
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from tools.bench_gates import Corpus, Gate, Way
from tools.bench_read import FLOOR

WHOLE, PEERS = "end to end", "pydicom + fhir.resources"
GATES = (Gate(WHOLE, FLOOR, 12, 7), Gate(WHOLE, PEERS, 1 / 20, 1 / 30))


def whole_ways(corpus: Corpus, url: str, state: Path) -> dict[str, Way]:
    """Return the ways, each over the files of a corpus.

    Args:
        corpus: The files.
        url: Base of a server that takes everything.
        state: An empty folder, for journals.
    """
    numbers = itertools.count()

    def whole() -> int:
        where = TargetOptions(url, state / f"journal {next(numbers)}")
        return synced(corpus.folder, where)

    def peers() -> int:
        for _ in as_peers(corpus.some):
            pass
        return len(corpus.some)

    return {WHOLE: whole, PEERS: peers}


def synced(folder: Path, where: TargetOptions) -> int:
    """Sync a folder in this process alone, and return how many instances it holds.

    Args:
        folder: The archive.
        where: Target and journal.
    """
    run = run_sync(RunOptions(Files((folder,)), MappingContext()), where)
    if run.exit_code:
        raise RuntimeError(f"the sync did something else: {run.report.error}")
    return run.work.reading.instances


def as_peers(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the JSON of an ImagingStudy a study, as programs make it of pydicom and fhir.resources.

    The attributes are made plain values, as whoever maps them needs them.

    Args:
        paths: The files, study by study.
    """
    model = import_module("fhir.resources.R4B.imagingstudy").ImagingStudy
    for _, group in itertools.groupby(paths, lambda path: Path(path).parent.parent):
        series: dict[str, list[Dataset]] = {}
        for path in group:
            dataset = dcmread(path, stop_before_pixels=True)
            for one in attributes("object").values():
                _plain(dataset.get(one.keyword))
            series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
        yield model.model_validate(_study(series)).model_dump_json()


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever pydicom gives
    """Return a value as JSON can hold it, items of sequences included."""
    if isinstance(value, Sequence):
        return [{one.keyword: _plain(one.value) for one in item} for item in value]
    if isinstance(value, MultiValue):
        return [str(one) for one in value]
    return value if value is None else str(value)


def _study(series: dict[str, list[Dataset]]) -> dict[str, Any]:
    dcm = "http://dicom.nema.org/resources/ontology/DCM"
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": {"reference": "Patient/1"},
        "series": [
            {
                "uid": uid,
                "modality": {"system": dcm, "code": members[0].Modality},
                "instance": [
                    {
                        "uid": one.SOPInstanceUID,
                        "sopClass": {"system": "urn:ietf:rfc:3986", "code": one.SOPClassUID},
                        "number": int(one.InstanceNumber),
                    }
                    for one in members
                ],
            }
            for uid, members in series.items()
        ],
    }
