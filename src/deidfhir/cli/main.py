"""`deidfhir`: from the command line to a run and an exit code."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from deidfhir.cli.arguments import command_in, parser
from deidfhir.cli.progress import Progress, printable
from deidfhir.errors import DeidFhirError, FatalError, internal
from deidfhir.tables import InstallationError

_COMMANDS = {
    "show": ("showing", "show"),
    "map": ("mapping", "map_paths"),
    "explain": ("showing", "explain"),
    "sync": ("syncing", "sync"),
    "verify": ("syncing", "verify"),
    "dead": ("dead", "dead"),
    "doctor": ("doctor", "doctor"),
    "reverse": ("reversing", "reverse"),
    "package": ("publishing", "package"),
    "install": ("publishing", "install"),
    "serve": ("serving", "serve"),
}
"""Command → the module and the function that carry it out."""

COLLECTED = (50_000, 20, 20)
"""When Python looks for cycles of objects: a run makes millions of objects, and hardly a cycle."""


def run() -> None:
    """Run the command line of this process."""
    gc.set_threshold(*COLLECTED)
    code = main(sys.argv[1:])
    gc.freeze()  # what is left goes with the process: to look for cycles in it takes longer
    sys.exit(code)


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
    progress = Progress()
    try:
        options = parser(command_in(arguments)).parse_args(arguments)
        # Loaded late: each command needs a part of the program alone.
        home, name = _COMMANDS[options.command]
        command = getattr(import_module(f"deidfhir.cli.{home}"), name)
        code: int = command(options, progress)
        sys.stdout.flush()
    except (DeidFhirError, InstallationError) as error:
        progress.close()
        code = getattr(error, "exit_code", FatalError.exit_code)
        if "--json" in arguments:
            print(json.dumps({"error": str(error), "exit_code": code}))  # noqa: T201 - the data
        _say([f"deidfhir: {error}"])
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FatalError.exit_code
    except Exception as error:  # noqa: BLE001 - a traceback could quote what was read
        progress.close()
        code = FatalError.exit_code
        if "--json" in arguments:
            print(json.dumps({"error": str(internal(error)), "exit_code": code}))  # noqa: T201
        _say([f"deidfhir: {internal(error)}"])
    except KeyboardInterrupt:
        progress.close()
        _say(["deidfhir: interrupted; the same command goes on where it stopped"])
        code = FatalError.exit_code
    return code


def _say(lines: list[str]) -> None:
    for line in lines:
        print(printable(line), file=sys.stderr)  # noqa: T201 - the talk


if __name__ == "__main__":
    run()
