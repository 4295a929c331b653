"""`deidfhir`: from the command line to a run and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from deidfhir.cli.arguments import parser
from deidfhir.cli.progress import Progress
from deidfhir.errors import DeidFhirError, FatalError
from deidfhir.tables import InstallationError


def run() -> None:
    """Run the command line of this process."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code, as `deidfhir --help` lists them.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A file name need not be UTF-8, and a terminal need not know a character.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # pydicom's log quotes values of attributes.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    progress = Progress()
    try:
        options = parser().parse_args(arguments)
        # Loaded late: help and version need neither pydicom nor FHIR's models.
        commands = import_module("deidfhir.cli.commands").COMMANDS
        code: int = commands[options.command](options, progress)
        sys.stdout.flush()
    except (DeidFhirError, InstallationError) as error:
        progress.close()
        _say([f"deidfhir: {error}"])
        code = getattr(error, "exit_code", FatalError.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FatalError.exit_code
    except KeyboardInterrupt:
        progress.close()
        _say(["deidfhir: interrupted; the same command goes on where it stopped"])
        code = FatalError.exit_code
    return code


def _say(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - the talk


if __name__ == "__main__":
    run()
