"""The settings of a site as the command line changes them."""

from __future__ import annotations

import argparse
from dataclasses import replace

from deidfhir.config import Settings, load_settings
from deidfhir.errors import UsageError

_OPTIONS = ("tools", "policy", "access", "vanished", "existing", "server_profile", "write_mode")
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
            raise UsageError("option-empty", name=name)
        if given is not None:
            settings = replace(settings, **{name: given})
    return settings
