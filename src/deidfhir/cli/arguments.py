"""Options and help of every command."""

from __future__ import annotations

import argparse
from pathlib import Path

from deidfhir.cli import values
from deidfhir.cli.existing import add_existing
from deidfhir.cli.options import (
    add_access,
    add_fhir,
    add_json,
    add_mapping,
    add_observed,
    add_paths,
    add_site,
    add_target,
    add_timeout,
    add_to,
    add_vanished,
)
from deidfhir.sync.timing import CONNECTIONS
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
ACTIONS = ("list", "show", "retry", "drop")


class _Parser(argparse.ArgumentParser):
    """A parser that reports usage errors in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="deidfhir",
        description="Say in FHIR how DICOM images were de-identified, as the images state it.",
        epilog=EXIT_CODES + "\nexample:\n  deidfhir show study/\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"deidfhir {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _show(commands)
    _map(commands)
    _sync(commands)
    _verify(commands)
    _dead(commands)
    _explain(commands)
    _reverse(commands)
    _package(commands)
    _install(commands)
    _doctor(commands)
    return top


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    one = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--config", type=Path, metavar="FILE", help="settings of the site, TOML")
    return one


def _show(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Show what the objects claim, study by study."
    one = _command(commands, "show", summary, "deidfhir show study/ --json")
    add_paths(one)
    add_json(one)


def _map(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Write one transaction Bundle a study to stdout, as NDJSON."
    one = _command(commands, "map", summary, "deidfhir map study/ --fhir R5 > bundles.ndjson")
    add_mapping(one)
    one.add_argument(
        "--recorded",
        type=values.instant,
        metavar="INSTANT",
        help="when the statement was first made, such as 2026-01-31T12:00:00Z",
    )
    one.add_argument(
        "--findings", type=Path, metavar="FILE", help="write the findings there: OperationOutcome"
    )


def _sync(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Make a FHIR server, or a folder of NDJSON, state what the objects state."
    example = "deidfhir sync archive/ --to http://127.0.0.1:8080/fhir"
    one = _command(commands, "sync", summary, example)
    add_mapping(one)
    add_target(one)
    add_existing(one)
    one.add_argument(
        "--full",
        action="store_true",
        help="read all files, and ask the target about others' studies, also where nothing changed",
    )
    one.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    add_vanished(one)
    one.add_argument(
        "--confirm-vanished",
        type=values.count,
        default=0,
        metavar="N",
        help="so many studies may vanish in this run, where it asks for that",
    )
    one.add_argument(
        "--connections",
        type=values.connections,
        metavar="NUMBER",
        help=f"requests under way at most; fewer while the server is busy ({CONNECTIONS})",
    )
    one.add_argument(
        "--deadline",
        type=values.seconds,
        metavar="SECONDS",
        help="for the whole run: it ends after what is under way, and the next one goes on",
    )
    add_observed(one)
    add_json(one)


def _verify(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Read back and compare: missing, drifted, ok; repair what differs."
    example = "deidfhir verify archive/ --to http://127.0.0.1:8080/fhir"
    one = _command(commands, "verify", summary, example)
    add_mapping(one)
    add_target(one)
    add_vanished(one)
    one.add_argument("--repair", action="store_true", help="send again at once what differs")
    add_observed(one)
    add_existing(one)
    add_json(one)


def _dead(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Tell the studies that a target refused for good; send them again, or give them up."
    example = "deidfhir dead list --to http://127.0.0.1:8080/fhir"
    one = _command(commands, "dead", summary, example)
    one.add_argument(
        "action",
        choices=ACTIONS,
        help="list them; show some; retry: the next sync sends them again; drop: neither sent nor "
        "told of until they change",
    )
    one.add_argument("ids", nargs="*", metavar="ID", help="as list tells them")
    one.add_argument("--all", action="store_true", help="all of them instead")
    add_fhir(one)
    add_to(one)
    add_json(one)


def _explain(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Tell, attribute by attribute, where an object's content goes or why it stays."
    one = _command(commands, "explain", summary, "deidfhir explain study/im1.dcm")
    one.add_argument("file", type=Path, metavar="FILE", help="one file")
    add_site(one)
    add_json(one)


def _reverse(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Give back the markers of every instance, as DICOM JSON, from the FHIR alone."
    one = _command(commands, "reverse", summary, "deidfhir reverse bundles.ndjson")
    one.add_argument(
        "file", nargs="?", metavar="FILE", help="NDJSON of Bundles or resources; - reads stdin"
    )
    one.add_argument("--from", dest="source", metavar="URL", help="a FHIR server instead")
    one.add_argument("--study", metavar="UID", help="this study only, of a server")
    add_fhir(one)
    add_access(one)
    add_timeout(one)


def _package(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Write our profiles, code systems, search parameters and examples as a FHIR package."
    one = _command(commands, "package", summary, "deidfhir package --fhir R5 --out package.tgz")
    add_fhir(one)
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="such as package.tgz")


def _install(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Put our profiles, code systems and search parameters on a FHIR server."
    example = "deidfhir install --to http://127.0.0.1:8080/fhir"
    one = _command(commands, "install", summary, example)
    add_fhir(one)
    one.add_argument("--to", required=True, metavar="URL", help="FHIR base URL")
    add_access(one)
    add_timeout(one)
    add_json(one)


def _doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Walk the way to a target leg by leg; say which fails and what to do."
    example = "deidfhir doctor --to http://127.0.0.1:8080/fhir"
    one = _command(commands, "doctor", summary, example)
    add_fhir(one)
    one.add_argument("--to", required=True, metavar="TARGET", help="FHIR base URL, or a folder")
    add_access(one)
    add_timeout(one)
    add_json(one)
