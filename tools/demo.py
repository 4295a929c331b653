"""The main job on sample studies: `make demo`."""

from __future__ import annotations

import sys
from pathlib import Path

from deidfhir.cli.main import main
from tests.synthetic.samples import write_samples

SAMPLES, TARGET = Path("build/samples"), Path("build/fhir")
PARTIAL = 3


def demo() -> int:
    """Write the samples, sync them into a folder and tell what is there."""
    write_samples(SAMPLES)
    command = ["sync", str(SAMPLES), "--to", str(TARGET), "--journal", "build/journal.sqlite3"]
    print(f"$ deidfhir {' '.join(command)}", flush=True)
    code = main(command)
    if code != PARTIAL:
        return code or 1
    print(f"exit code {code}: partial, for the samples hold what must be refused or skipped")
    print()
    for file in sorted(TARGET.glob("*.ndjson")):
        count = len(file.read_text(encoding="utf-8").splitlines())
        print(f"{file}: {count} resources")
    print()
    print("Look closer:")
    print(f"  .venv/bin/deidfhir show {SAMPLES}")
    print(f"  .venv/bin/deidfhir explain {SAMPLES}/tcia-ct/ct-1-1.dcm")
    print(f"  .venv/bin/deidfhir verify {SAMPLES} --to {TARGET} --journal build/journal.sqlite3")
    return 0


if __name__ == "__main__":
    sys.exit(demo())
