"""`deidfhir show` and `explain`: what objects claim, and where their content goes."""

from __future__ import annotations

import argparse
from functools import partial

from deidfhir.cli import claims, inputs
from deidfhir.cli.progress import Progress, tell
from deidfhir.cli.site import context_of
from deidfhir.cli.source import source_of
from deidfhir.errors import SkippableError
from deidfhir.pipeline.explain import explained
from deidfhir.pipeline.show import shown
from deidfhir.pipeline.workers import default_workers


def show(options: argparse.Namespace, progress: Progress) -> int:
    """Show what the objects claim."""
    source, context = source_of(options, context_of(options))
    source.require()
    reading = source.read(partial(progress, source.counted), options.workers or default_workers())
    progress.close()
    content = shown(reading, context)
    tell([inputs.as_json(content)] if options.json else claims.show_lines(content))
    return SkippableError.exit_code if reading.skipped else 0


def explain(options: argparse.Namespace, _progress: Progress) -> int:
    """Tell where the content of one file goes."""
    content = explained(options.file, context_of(options))
    tell([inputs.as_json(content)] if options.json else claims.explain_lines(content))
    return 0
