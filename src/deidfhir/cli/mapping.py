"""`deidfhir map`: objects as transaction Bundles."""

from __future__ import annotations

import argparse

from deidfhir.cli import inputs
from deidfhir.cli.progress import Progress, say, tell
from deidfhir.cli.site import run_options
from deidfhir.pipeline.bundles import input_exit_code, run_map
from deidfhir.pipeline.writing import write_text
from deidfhir.web.numbers import line_of


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
