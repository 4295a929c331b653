"""The command line: its commands, and the help of each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from deidfhir.version import __version__

EXIT_CODES = """\
exit codes:
  0  done
  1  failed: someone must act before the same command can go on
  2  usage: the command line, a PATH or a setting is wrong
  3  partial: something was refused, skipped for cause or given up; the summary says what
  5  try later: the target is down or refuses for now
  where several apply: 2, 1, 5, 3, 0
"""
_COMMANDS = {
    "show": (
        "Show what the objects claim, study by study.",
        "deidfhir show study/ --json",
    ),
    "map": (
        "Write one transaction Bundle a study to stdout, as NDJSON.",
        "deidfhir map study/ --fhir R5 > bundles.ndjson",
    ),
    "sync": (
        "Make a FHIR server, or a folder of NDJSON, state what the objects state.",
        "deidfhir sync archive/ --to http://127.0.0.1:8080/fhir",
    ),
    "verify": (
        "Read back and compare: missing, drifted, ok; repair what differs.",
        "deidfhir verify archive/ --to http://127.0.0.1:8080/fhir",
    ),
    "dead": (
        "Tell the studies that a target refused for good; send them again, or give them up.",
        "deidfhir dead list --to http://127.0.0.1:8080/fhir",
    ),
    "explain": (
        "Tell, attribute by attribute, where an object's content goes or why it stays.",
        "deidfhir explain study/im1.dcm",
    ),
    "reverse": (
        "Give back the markers of every instance, as DICOM JSON, from the FHIR alone.",
        "deidfhir reverse bundles.ndjson",
    ),
    "package": (
        "Write our profiles, code systems, search parameters and examples as a FHIR package.",
        "deidfhir package --fhir R5 --out package.tgz",
    ),
    "install": (
        "Put our profiles, code systems and search parameters on a FHIR server.",
        "deidfhir install --to http://127.0.0.1:8080/fhir",
    ),
    "doctor": (
        "Walk the way to a target leg by leg; say which fails and what to do.",
        "deidfhir doctor --to http://127.0.0.1:8080/fhir",
    ),
    "serve": (
        "Answer requests: map objects, judge them (docs/gateway.md).",
        "deidfhir serve --port 8180",
    ),
}
"""Command → what it does, and an example."""


class _Parser(argparse.ArgumentParser):
    """A parser that reports usage errors in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Args:
        only: The one command that knows its options; without it, all do. What the others take
            need not be loaded.
    """
    top = _Parser(
        prog="deidfhir",
        description="Say in FHIR how DICOM images were de-identified, as the images state it.",
        epilog=EXIT_CODES + "\nexample:\n  deidfhir show study/\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"deidfhir {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (summary, example) in _COMMANDS.items():
        one = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  {example}\n",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if only in (None, name):
            one.add_argument(
                "--config", type=Path, metavar="FILE", help="settings of the site, TOML"
            )
            import_module("deidfhir.cli.commandoptions").OPTIONS[name](one)
    return top


def command_in(arguments: Iterable[str]) -> str:
    """Return the command that a command line names, or an empty text.

    Args:
        arguments: The command line without the program's name.
    """
    return next((one for one in arguments if one in _COMMANDS), "")
