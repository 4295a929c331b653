"""`deidfhir dead`: the studies that a target refused for good."""

from __future__ import annotations

import argparse
from typing import Any

from deidfhir.cli.inputs import as_json
from deidfhir.cli.progress import Progress, printable
from deidfhir.config import load_settings
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.dead import handle_dead
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.dead import DeadLetter

_DONE = {
    "list": "set aside: {}",
    "show": "",
    "retry": "due again: {}; the next sync sends them",
    "drop": "given up: {}; neither sent nor told of until they change",
}


def dead(options: argparse.Namespace, _progress: Progress) -> int:
    """List, show, retry or drop dead letters."""
    context = MappingContext(options.fhir, load_settings(options.config))
    where = TargetOptions(options.to, options.journal)
    letters = handle_dead(options.action, options.ids, where, context, every=options.all)
    if options.json:
        told = {"command": "dead", "action": options.action, "target": where.open(context).shown}
        found = {"letters": [_object(one) for one in letters], "error": None, "exit_code": 0}
        print(as_json({**told, **found}))  # noqa: T201 - the data
        return 0
    summary = _DONE[options.action].format(len(letters))
    lines = [summary] if summary else []
    for one in letters:
        lines += _shown(one) if options.action == "show" else [_line(one)]
    for line in lines:
        print(printable(line))  # noqa: T201 - the data
    return 0


def _object(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "cause": letter.cause,
        "status": letter.status,
        "server_code": letter.server_code,
        "since": letter.since,
        "dropped": letter.dropped,
        "issues": [one.as_dict() for one in letter.issues],
    }


def _line(letter: DeadLetter) -> str:
    dropped = " (given up)" if letter.dropped else ""
    return f"  {letter.id}  {letter.since}  {letter.answer}{dropped}"


def _shown(letter: DeadLetter) -> list[str]:
    return [
        f"study     ImagingStudy/{letter.id}",
        f"cause     {letter.cause}",
        f"answer    {letter.answer}",
        *(f"because   {one}" for one in letter.issues),
        f"since     {letter.since}",
        f"given up  {'yes' if letter.dropped else 'no'}",
    ]
