"""`deidfhir doctor`: the legs of the ways to an archive and to a target."""

from __future__ import annotations

import argparse
import sys

from deidfhir.cli.inputs import as_json
from deidfhir.cli.progress import Progress, printable
from deidfhir.cli.site import settings_of
from deidfhir.cli.source import archive_of
from deidfhir.errors import UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.doctor import diagnose, diagnose_archive
from deidfhir.pipeline.legs import Diagnosis
from deidfhir.sync.report import worst
from deidfhir.web.timing import Clock


def doctor(options: argparse.Namespace, _progress: Progress) -> int:
    """Walk to an archive, to a target or to both, and tell each leg."""
    context = MappingContext(options.fhir, settings_of(options))
    context.prepare()
    if options.to is None and options.source is None:
        raise UsageError("doctor-whither")
    archive, target = None, None
    if options.source is not None:
        archive = diagnose_archive(archive_of(options, context.settings))
    if options.to is not None:
        target = diagnose(options.to, context, options.timeout, Clock())
    walked = [one for one in (archive, target) if one is not None]
    code = worst(*(one.exit_code for one in walked))
    if options.json:
        print(as_json(_object(archive, target, options.fhir, code)))  # noqa: T201 - the data
    else:
        _print(archive, "archive     {}")
        _print(target, "target      {} (FHIR " + options.fhir + ")")
    for one in walked:
        if one.error is not None:
            print(printable(f"deidfhir: {one.error}"), file=sys.stderr)  # noqa: T201 - the talk
    return code


def _print(found: Diagnosis | None, headed: str) -> None:
    if found is None:
        return
    print(printable(headed.format(found.target)))  # noqa: T201 - the data
    for leg in found.legs:
        told = f"  {leg.text} [{leg.code}]" if leg.code else ""
        line = f"{leg.name:<10}  {leg.state:<11}{told}".rstrip()
        print(printable(line))  # noqa: T201 - the data


def _object(
    archive: Diagnosis | None, target: Diagnosis | None, fhir: str, code: int
) -> dict[str, object]:
    told: dict[str, object] = {"command": "doctor", "fhir": fhir}
    told |= {"archive": None, "source_legs": []}
    if archive is not None:
        told |= {"archive": archive.target, "source_legs": _legs(archive)}
    told |= {"target": None, "legs": []}
    if target is not None:
        told |= {"target": target.target, "legs": _legs(target)}
    errors = (one.error for one in (archive, target) if one is not None)
    error = next((str(one) for one in errors if one is not None), None)
    return {**told, "error": error, "exit_code": code}


def _legs(found: Diagnosis) -> list[dict[str, str]]:
    return [
        {"leg": one.name, "state": one.state, "code": one.code, "text": one.text}
        for one in found.legs
    ]
