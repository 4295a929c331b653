"""What a rival's process does: one turn over the files for each line that it is sent.

    python -I turns.py SCRIPT WAY ASKED

SCRIPT has a function `make`. For the way `study` it gets nothing and returns what makes FHIR of a
study's folder and says how many instances that states; for any other way it gets the way and what
is asked, and returns what reads a file. ASKED is JSON: `paths`, `folders`, and `places`, which has
the attributes of each place. The first answer is that of a turn that is not timed, in which what
is delivered is counted; then each line of standard input is answered by one of standard output.
Run by the interpreter of the rival's own environment: nothing but the standard library is here.
"""

from __future__ import annotations

import json
import os
import platform
import runpy
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

Answer = dict[str, Any]


def delivered(found: Mapping[str, object], keywords: frozenset[str]) -> tuple[int, int]:
    """Return how many values a header gives, and how many more in items of its sequences.

    Args:
        found: Keyword → value, a sequence as a list of such; or `Sequence.0.Keyword` → value.
        keywords: Those that were asked for at the top level; others do not count.
    """
    top = nested = 0
    for key, value in found.items():
        if key.partition(".")[0] not in keywords:
            continue
        if "." in key:
            nested += _filled(value)
        elif _has_items(value):
            nested += _leaves(value)
        else:
            top += _filled(value)
    return top, nested


def _filled(value: object) -> bool:
    return value is not None and str(value) != "" and value not in ((), [])


def _has_items(value: object) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value)


def _leaves(value: Any) -> int:  # noqa: ANN401 - whatever a reader gives
    if _has_items(value):
        return sum(_leaves(one) for item in value for one in item.values())
    return _filled(value)


def headers(read: Callable[[str], object], paths: list[str]) -> Answer:
    """Read every file, and say how long it took and what failed.

    Args:
        read: Reads one.
        paths: The files.
    """
    failed, fault = 0, ""
    begun = time.perf_counter()
    for path in paths:
        try:
            read(path)
        except Exception as error:  # noqa: BLE001 - whatever a rival raises is its failure
            failed += 1
            fault = fault or _told(error, path)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "read": len(paths) - failed, "failed": failed, "fault": fault}


def studies(convert: Callable[[str], int], paths: list[str], folders: list[str]) -> Answer:
    """Convert every study; the instances that are in none of the answers are what failed.

    Args:
        convert: Converts one, and returns how many instances it states.
        paths: The files.
        folders: The studies' folders.
    """
    stated, fault = 0, ""
    begun = time.perf_counter()
    for folder in folders:
        try:
            stated += convert(folder)
        except Exception as error:  # noqa: BLE001 - whatever a rival raises is its failure
            fault = fault or _told(error, folder)
    seconds = time.perf_counter() - begun
    failed = len(paths) - stated
    if failed and not fault:
        fault = "left out without a word"
    return {"seconds": seconds, "read": stated, "failed": failed, "fault": fault}


def _told(error: Exception, path: str) -> str:
    words = " ".join(str(error).replace(path, "the file").split())
    return f"{type(error).__name__}: {words}"[:120]


def _counted(
    read: Callable[[str], Mapping[str, object]], paths: list[str], places: dict[str, Any]
) -> Answer:
    """Read every file, and count what is delivered."""
    keywords = frozenset(one["keyword"] for one in places["object"])
    values = nested = 0

    def count(path: str) -> None:
        nonlocal values, nested
        more = delivered(read(path), keywords)
        values, nested = values + more[0], nested + more[1]

    return headers(count, paths) | {"values": values, "nested": nested}


def main(script: str, way: str, asked: str) -> None:
    """Answer for a turn that is not timed, then for one a line of standard input."""
    answers = _answers()
    wanted = json.loads(Path(asked).read_text())
    paths, folders, places = wanted["paths"], wanted["folders"], wanted["places"]
    make = runpy.run_path(script)["make"]
    if way == "study":
        turn = partial(studies, make(), paths, folders)
        first = turn()
    else:
        read = make(way, places)
        turn = partial(headers, read, paths)
        first = _counted(read, paths, places)
    _say(answers, first | {"python": platform.python_version()})
    for _ in sys.stdin:
        _say(answers, turn())


def _say(answers: TextIO, answer: Answer) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answers() -> TextIO:
    """Return standard output, and keep it from the libraries that print."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main(*sys.argv[1:])
