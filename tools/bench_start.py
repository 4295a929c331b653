"""What a cold start costs: processes, from the first to the last instruction."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.bench_gates import Gate, Way

BARE, MODELS = "a bare interpreter", "an interpreter that imports the models"
VERSION, ONE = "`deidfhir --version`", "`deidfhir map` of one file"
GATES = (Gate(VERSION, BARE, 8, 4), Gate(ONE, MODELS, 1.5, 1.25))
_KINDS = (
    *("imagingstudy", "provenance", "device", "extension", "meta", "narrative", "coding"),
    *("codeableconcept", "reference", "identifier", "period"),
)
_MODELS = "import " + ", ".join(f"fhir.resources.R4B.{one}" for one in _KINDS)


def start_ways(path: str) -> dict[str, Way]:
    """Return the ways, each a process.

    Args:
        path: A file to be mapped.
    """
    deidfhir = str(Path(sys.executable).with_name("deidfhir"))
    commands = {
        BARE: [sys.executable, "-c", "pass"],
        VERSION: [deidfhir, "--version"],
        MODELS: [sys.executable, "-c", _MODELS],
        ONE: [deidfhir, "map", path],
    }

    # As it is once it was started: compiled.
    compiled = {key: one for key, one in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def started(command: list[str]) -> int:
        subprocess.run(command, check=True, capture_output=True, env=compiled)  # noqa: S603
        return 1

    return {name: lambda command=command: started(command) for name, command in commands.items()}  # type: ignore[misc]
