"""The settings of a site as the command line changes them."""

from __future__ import annotations

import argparse
from dataclasses import replace

from deidfhir.cli.progress import Progress
from deidfhir.cli.source import source_of
from deidfhir.config import Settings, load_settings
from deidfhir.errors import UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.workers import default_workers

_OPTIONS = (
    *("tools", "policy", "access", "source_access", "vanished", "existing", "server_profile"),
    "write_mode",
)
"""Settings that have an option of the same name, where a command takes it."""


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings of a command.

    Args:
        options: Of the command line.

    Raises:
        UsageError: `option-empty`, or what is wrong with the settings.
    """
    settings = load_settings(options.config)
    for name in _OPTIONS:
        given = getattr(options, name, None)
        if given == "":
            raise UsageError("option-empty", name=name.replace("_", "-"))
        if given is not None:
            settings = replace(settings, **{name: given})
    return settings


def context_of(options: argparse.Namespace, recorded: str | None = None) -> MappingContext:
    """Return the context of a command; a mistake in it is told before anything is read."""
    context = MappingContext(getattr(options, "fhir", "R4"), settings_of(options), recorded)
    context = context.accepting(getattr(options, "accept", None))
    context.prepare()
    return context


def run_options(
    options: argparse.Namespace, progress: Progress, recorded: str | None = None
) -> RunOptions:
    """Return what map, sync and verify share."""
    source, context = source_of(options, context_of(options, recorded))
    return RunOptions(source, context, progress, workers=options.workers or default_workers())
