"""`package` and `install`: the published package, to a file or to a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deidfhir.cli.inputs import as_json
from deidfhir.cli.progress import Progress, printable
from deidfhir.cli.site import settings_of
from deidfhir.config import load_settings
from deidfhir.pipeline.publishing import install_package, write_package
from deidfhir.web.address import without_credentials

OUTCOMES = ("created", "updated", "unchanged")


def package(options: argparse.Namespace, _progress: Progress) -> int:
    """Write package.tgz."""
    out: Path = options.out
    size = write_package(out, load_settings(options.config), options.fhir)
    print(printable(f"{out}: {size} bytes, FHIR {options.fhir}"), file=sys.stderr)  # noqa: T201
    return 0


def install(options: argparse.Namespace, _progress: Progress) -> int:
    """Put the conformance resources on a server."""
    settings = settings_of(options)
    done, requests = install_package(options.to, settings, options.fhir, options.timeout)
    counts = {name: done[name] for name in OUTCOMES}
    target = without_credentials(options.to)
    if options.json:
        told = {"command": "install", "target": target, "fhir": options.fhir, "requests": requests}
        print(as_json({**told, "resources": counts, "error": None, "exit_code": 0}))  # noqa: T201
        return 0
    words = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    print(printable(f"target    {target} (FHIR {options.fhir})"))  # noqa: T201 - the data
    print(f"resources {words}")  # noqa: T201 - the data
    print(f"requests  {requests}")  # noqa: T201 - the data
    return 0
