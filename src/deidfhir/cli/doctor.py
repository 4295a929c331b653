"""`deidfhir doctor`: the legs of the way to a target."""

from __future__ import annotations

import argparse
import sys

from deidfhir.cli.inputs import as_json
from deidfhir.cli.progress import Progress, printable
from deidfhir.cli.site import settings_of
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.doctor import diagnose
from deidfhir.pipeline.legs import Diagnosis
from deidfhir.web.timing import Clock


def doctor(options: argparse.Namespace, _progress: Progress) -> int:
    """Walk to a target, and tell each leg."""
    context = MappingContext(options.fhir, settings_of(options))
    context.prepare()
    found = diagnose(options.to, context, options.timeout, Clock())
    if options.json:
        print(as_json(_object(found, options.fhir)))  # noqa: T201 - the data
    else:
        print(printable(f"target      {found.target} (FHIR {options.fhir})"))  # noqa: T201
        for leg in found.legs:
            told = f"  {leg.text} [{leg.code}]" if leg.code else ""
            line = f"{leg.name:<10}  {leg.state:<11}{told}".rstrip()
            print(printable(line))  # noqa: T201 - the data
    if found.error is not None:
        print(printable(f"deidfhir: {found.error}"), file=sys.stderr)  # noqa: T201 - the talk
    return found.exit_code


def _object(found: Diagnosis, fhir: str) -> dict[str, object]:
    legs = [
        {"leg": one.name, "state": one.state, "code": one.code, "text": one.text}
        for one in found.legs
    ]
    error = None if found.error is None else str(found.error)
    told = {"command": "doctor", "target": found.target, "fhir": fhir, "legs": legs}
    return {**told, "error": error, "exit_code": found.exit_code}
