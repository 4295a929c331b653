"""`deidfhir show`, `map` and `explain`: what reads objects and asks no target."""

from __future__ import annotations

import argparse
from functools import partial

from deidfhir.cli import claims, inputs
from deidfhir.cli.progress import Progress, say, tell
from deidfhir.cli.site import context_of, run_options
from deidfhir.errors import SkippableError
from deidfhir.pipeline.bundles import input_exit_code, run_map
from deidfhir.pipeline.explain import explained
from deidfhir.pipeline.show import shown
from deidfhir.pipeline.sources import read_paths
from deidfhir.pipeline.workers import default_workers
from deidfhir.pipeline.writing import write_text
from deidfhir.sync.numbers import line_of


def show(options: argparse.Namespace, progress: Progress) -> int:
    """Show what the objects claim."""
    context = context_of(options)
    told = partial(progress, "files read")
    reading = read_paths(options.paths, told, options.workers or default_workers())
    progress.close()
    content = shown(reading, context)
    tell([inputs.as_json(content)] if options.json else claims.show_lines(content))
    return SkippableError.exit_code if reading.skipped else 0


def explain(options: argparse.Namespace, _progress: Progress) -> int:
    """Tell where the content of one file goes."""
    content = explained(options.file, context_of(options))
    tell([inputs.as_json(content)] if options.json else claims.explain_lines(content))
    return 0


def map_paths(options: argparse.Namespace, progress: Progress) -> int:
    """Write one transaction Bundle a study."""
    work, bundles = run_map(run_options(options, progress, options.recorded))
    for bundle in bundles:
        tell([line_of(bundle)])
    progress.close()
    if options.findings is not None:
        write_text(options.findings, line_of(work.outcome()) + "\n")
    say(inputs.input_lines(work))
    return input_exit_code(work)
