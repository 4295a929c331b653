"""How much memory a run takes at a million instances: a process of its own, a simulated listing.

No file is there: the listing names them, and what is read of each is made of one header.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deidfhir.cli.main import COLLECTED
from deidfhir.dicom.elements import Elements, Header
from deidfhir.dicom.scan.prefix import Opened
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline import filechanges, slices
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.listing import Listing, Slice
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from tools.bench_sink import sink

_SERIES, _INSTANCES = 4, 50
_ROOT = "1.2.826.0.1.3680043.8.498.62"
_STATUS = Path(__file__).stat()
MUST = 200
"""Megabytes at most."""


class Simulated(Listing):
    """The listing of an archive that is not there: a folder a series, 200 instances a study."""

    studies = 0

    def slices(self) -> Iterator[Slice]:
        """Yield what would be looked at."""
        names = tuple(f"{number:04}.dcm" for number in range(_INSTANCES))
        for study in range(self.studies):
            for series in range(_SERIES):
                folder = f"archive/{study:06}/{series:02}/"
                yield Slice(folder, names, 0, f"/{folder}")


def _elements(study: str, series: str, number: str) -> Elements:
    return {
        "SOPClassUID": ("1.2.840.10008.5.1.4.1.1.2",),
        "Modality": ("CT",),
        "StudyInstanceUID": (f"{_ROOT}.{int(study)}",),
        "SeriesInstanceUID": (f"{_ROOT}.{int(study)}.{int(series)}",),
        "SOPInstanceUID": (f"{_ROOT}.{int(study)}.{int(series)}.{int(number)}",),
        "SeriesNumber": (series,),
        "InstanceNumber": (number,),
        "PatientIdentityRemoved": ("YES",),
        "DeidentificationMethod": ("tool 1.0", "profile 2020b"),
        "ImageType": ("ORIGINAL", "PRIMARY", "AXIAL"),
    }


def _look_at(path: str) -> Opened:
    _, study, series, name = path.split("/")
    return Opened(_STATUS, b"", Header(_elements(study, series, name[:4])))


def child(studies: int) -> None:
    """Sync an archive of so many studies into a sink; print the instances and the peak memory."""
    import gc  # noqa: PLC0415 - as the command does

    gc.set_threshold(*COLLECTED)
    Simulated.studies = studies
    patched: Any = filechanges
    patched.Listing = Simulated
    patched = slices
    patched.look_at = _look_at
    with sink() as url, tempfile.TemporaryDirectory() as folder:
        where = TargetOptions(url, Path(folder) / "journal")
        run = run_sync(RunOptions(Files((Path(folder),)), MappingContext()), where)
    if run.report.error is not None or len(run.work.reading.fold) != studies:
        raise RuntimeError(f"the run did something else: {run.report.error}")
    print(run.work.reading.instances, _peak() // 1024)


def _peak() -> int:
    """Return this program's peak of memory in KB; that of the process counts whoever forked it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("this kernel does not tell the peak of a program's memory")


def measure(instances: int) -> tuple[int, int]:
    """Return instances and the peak of memory in megabytes.

    Args:
        instances: About how many.
    """
    studies = max(1, instances // (_SERIES * _INSTANCES))
    command = [sys.executable, "-m", "tools.bench_memory", "--studies", str(studies)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
    return int(told[0]), int(told[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.bench_memory", description=__doc__)
    parser.add_argument("--studies", type=int, default=5000, help="of 200 instances each (5000)")
    child(parser.parse_args().studies)
