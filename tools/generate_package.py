"""Write the published resources to `mappings/generated/package`, with an example a golden story.

python -m tools.generate_package
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from deidfhir.config import Settings
from deidfhir.fhir.versions import FhirName
from deidfhir.package.layout import file_name
from deidfhir.package.layout import rendered as as_text
from deidfhir.package.resources import conformance_resources

REPO = Path(__file__).resolve().parent.parent
TARGET = REPO / "mappings" / "generated" / "package"
STORIES = REPO / "tests" / "golden"
VERSIONS: tuple[FhirName, ...] = ("R4", "R5")


def rendered() -> dict[str, str]:
    """Return path below TARGET → content, of every file."""
    files: dict[str, str] = {}
    for fhir in VERSIONS:
        for one in conformance_resources(Settings(), fhir):
            files[f"{fhir}/{file_name(one)}"] = as_text(one)
        for one in _examples(fhir):
            files[f"{fhir}/example/{file_name(one)}"] = as_text(one)
    return files


def _examples(fhir: FhirName) -> list[dict[str, Any]]:
    """Return the resources of every golden story, each once."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(STORIES.glob(f"*/expected.{fhir}.json")):
        for entry in json.loads(file.read_text(encoding="utf-8"))["entry"]:
            found[file_name(entry["resource"])] = entry["resource"]
    return [found[name] for name in sorted(found)]


def main() -> None:
    """Write all files anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for name, content in rendered().items():
        path = TARGET / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
