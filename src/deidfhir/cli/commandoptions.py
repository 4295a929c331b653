"""What each command takes on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from deidfhir.cli import values
from deidfhir.cli.listening import add_listening
from deidfhir.cli.options import (
    add_accepting,
    add_access,
    add_existing,
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
from deidfhir.web.timing import CONNECTIONS

ACTIONS = ("list", "show", "retry", "drop")


def _show(one: argparse.ArgumentParser) -> None:
    add_paths(one)
    add_timeout(one)
    add_json(one)


def _map(one: argparse.ArgumentParser) -> None:
    add_mapping(one)
    add_timeout(one)
    one.add_argument(
        "--recorded",
        type=values.instant,
        metavar="INSTANT",
        help="when the statement was first made, such as 2026-01-31T12:00:00Z",
    )
    one.add_argument(
        "--findings", type=Path, metavar="FILE", help="write the findings there: OperationOutcome"
    )


def _sync(one: argparse.ArgumentParser) -> None:
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


def _verify(one: argparse.ArgumentParser) -> None:
    add_mapping(one)
    add_target(one)
    add_vanished(one)
    one.add_argument("--repair", action="store_true", help="send again at once what differs")
    add_observed(one)
    add_existing(one)
    add_json(one)


def _dead(one: argparse.ArgumentParser) -> None:
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


def _explain(one: argparse.ArgumentParser) -> None:
    one.add_argument("file", type=Path, metavar="FILE", help="one file")
    add_site(one)
    add_json(one)


def _reverse(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "file", nargs="?", metavar="FILE", help="NDJSON of Bundles or resources; - reads stdin"
    )
    one.add_argument("--from", dest="source", metavar="URL", help="a FHIR server instead")
    one.add_argument("--study", metavar="UID", help="this study only, of a server")
    add_fhir(one)
    add_access(one)
    add_timeout(one)


def _package(one: argparse.ArgumentParser) -> None:
    add_fhir(one)
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="such as package.tgz")


def _install(one: argparse.ArgumentParser) -> None:
    add_fhir(one)
    one.add_argument("--to", required=True, metavar="URL", help="FHIR base URL")
    add_access(one)
    add_timeout(one)
    add_json(one)


def _doctor(one: argparse.ArgumentParser) -> None:
    add_fhir(one)
    one.add_argument("--to", metavar="TARGET", help="FHIR base URL, or a folder")
    one.add_argument("--from", dest="source", metavar="ADDRESS", help="an archive, as of sync")
    one.add_argument("--source-access", metavar="FILE", help="the archive's access file")
    add_access(one)
    add_timeout(one)
    add_json(one)


def _serve(one: argparse.ArgumentParser) -> None:
    add_listening(one)
    add_accepting(one)
    add_site(one)
    add_target(one, required=False)
    add_existing(one)
    one.add_argument("--log", type=Path, metavar="FILE", help="add the events, JSON lines")


OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "show": _show,
    "map": _map,
    "sync": _sync,
    "verify": _verify,
    "dead": _dead,
    "explain": _explain,
    "reverse": _reverse,
    "package": _package,
    "install": _install,
    "doctor": _doctor,
    "serve": _serve,
}
"""Command → what adds its options."""
