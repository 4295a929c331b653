"""A run takes no more memory for more instances: what was read of them lies on the disk."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from tests.conftest import process_environment
from tests.synthetic.objects import encode, instance
from tools.bench_memory import MUST, measure

MOST_MORE = 12
"""Megabytes more that three times the instances may take: what is kept of their studies."""
A_MEMBER = 450
"""Bytes that a member of a container may take, to know its name again and for its packed record:
half of what these objects have. It takes some 140, and a peak is known to a megabyte or two."""

READ = """
import sys
from pathlib import Path
from deidfhir.pipeline.files import read_paths
reading = read_paths([Path(sys.argv[1])])
peak = [one for one in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in one]
print(reading.instances, peak[0].split()[1])
"""


def test_three_times_the_instances_take_no_more_memory() -> None:
    (few, peak), (many, higher) = measure(100_000), measure(300_000)
    assert (few, many) == (100_000, 300_000)
    assert higher - peak <= MOST_MORE
    assert higher < MUST


def packed(path: Path, count: int) -> Path:
    """Write a compressed tar file of so many objects of one study."""
    whole = encode(instance(1, 1, 123_456_789, PatientIdentityRemoved="YES"), "1.2.840.10008.1.2")
    with tarfile.open(path, "w:gz", compresslevel=1) as made:
        for number in range(count):
            info = tarfile.TarInfo(f"series/{number:09}.dcm")
            info.size = len(whole)
            made.addfile(info, BytesIO(whole.replace(b"123456789", f"{number:09}".encode())))
    return path


def peak_of(path: Path) -> tuple[int, int]:
    """Return how many objects a process read, and the kilobytes that it took at most."""
    command = [sys.executable, "-c", READ, str(path)]
    environment = process_environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    instances, peak = done.stdout.split()
    return int(instances), int(peak)


def test_a_container_of_many_objects_is_not_held_in_memory(tmp_path: Path) -> None:
    few, peak = peak_of(packed(tmp_path / "few.tgz", 6_000))
    many, higher = peak_of(packed(tmp_path / "many.tgz", 24_000))
    assert (few, many) == (6_000, 24_000)
    assert (higher - peak) * 1024 < A_MEMBER * (many - few)
    assert higher < MUST * 1024
