"""PATHs → one transaction Bundle a study."""

from __future__ import annotations

from collections.abc import Iterator

from deidfhir.errors import SkippableError
from deidfhir.fhir.types import JsonObject
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.options import RunOptions


def run_map(options: RunOptions) -> tuple[Work, Iterator[JsonObject]]:
    """Return what was read, and one transaction Bundle a study that is not refused.

    Args:
        options: PATHs and context; the order of the PATHs changes nothing.

    Raises:
        UsageError: `path-missing`.
    """
    options.source.require()
    work = Work(options.read(), options.context)
    return work, (one.bundle() for _, one in work.mapped() if one is not None)


def input_exit_code(work: Work) -> int:
    """Return the exit code that refusals and skipped files call for."""
    return SkippableError.exit_code if work.refusals or work.reading.skipped else 0
