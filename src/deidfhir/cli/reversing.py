"""`reverse`: the markers of every instance, as DICOM JSON, from the FHIR alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from deidfhir.cli.inputs import as_json
from deidfhir.cli.progress import Progress, printable
from deidfhir.cli.site import settings_of
from deidfhir.errors import SkippableError, UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.model.uid import is_usable
from deidfhir.pipeline.reversing import Reversal, reverse_lines, reverse_server

_SHOWN = 10


def reverse(options: argparse.Namespace, progress: Progress) -> int:
    """Write one DICOM JSON object a line for every instance."""
    if (options.file is None) == (options.source is None):
        raise UsageError("reverse-source")
    if options.study is not None and not is_usable(options.study):
        raise UsageError("reverse-study")
    reversal = Reversal()
    for one in _objects(options, reversal):
        print(as_json(one))  # noqa: T201 - the data
        progress("objects", reversal.objects)
    progress.close()
    for line in _told(reversal, options):
        print(printable(f"deidfhir: {line}"), file=sys.stderr)  # noqa: T201 - the talk
    lacking = bool(options.study) and not reversal.studies
    return SkippableError.exit_code if reversal.broken or lacking else 0


def _objects(options: argparse.Namespace, reversal: Reversal) -> Iterable[dict[str, Any]]:
    if options.source is not None:
        context = MappingContext(options.fhir, settings_of(options))
        return reverse_server(
            options.source, context, options.study or "", options.timeout, reversal
        )
    if options.study is not None:
        raise UsageError("reverse-study")
    return reverse_lines(_lines(options.file), reversal)


def _lines(name: str) -> Iterator[bytes]:
    try:
        if name == "-":
            yield from sys.stdin.buffer
        else:
            with open(name, "rb") as stream:  # noqa: PTH123 - the name as it was given
                yield from stream
    except (OSError, ValueError) as error:
        raise UsageError("reverse-file", path=name) from error


def _told(reversal: Reversal, options: argparse.Namespace) -> Iterator[str]:
    yield f"{reversal.studies} studies, {reversal.objects} objects"
    if reversal.withheld:
        yield f"{reversal.withheld} elements are marked as withheld and left out"
    if reversal.silent:
        yield f"{reversal.silent} instances state nothing about de-identification"
    if options.study and not reversal.studies:
        yield "the server has no ImagingStudy with this Study Instance UID"
    what = "resource" if options.source else "line"
    for number, place in list(reversal.broken.items())[:_SHOWN]:
        where = f" at {place}" if place else ""
        yield f"{what} {number} cannot be read back{where}, which is left out: see docs/mapping.md"
    if len(reversal.broken) > _SHOWN:
        yield f"{len(reversal.broken) - _SHOWN} more {what}s cannot be read back in part"
