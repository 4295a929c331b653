"""The forms of what options take: a text of the command line → a value, or what is wrong."""

from __future__ import annotations

import argparse
import re
from datetime import datetime

from deidfhir.errors import UsageError

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MOST_CONNECTIONS = 64
_MOST_WORKERS = 64
_MOST_REQUESTS = 1000
_MOST_MEGABYTES = 4000


def accept(words: str) -> object:
    """Return the verdicts that a text names."""
    from deidfhir.pipeline.gate import parse_accept  # noqa: PLC0415 - help does without the gate

    try:
        return parse_accept(words)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def instant(text: str) -> str:
    """Return a FHIR instant as it is."""
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError
        datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(str(UsageError("recorded-form"))) from None
    return text


def count(text: str) -> int:
    """Return a number of studies."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError("it takes a number of studies")
    return int(text)


def matched(text: str) -> str:
    """Return what studies must match; nothing at all would mean every study."""
    if not text.strip() or any("\ud800" <= one <= "\udfff" for one in text):
        raise argparse.ArgumentTypeError("it takes what studies must match, as UTF-8")
    return text


def connections(text: str) -> int:
    """Return a number of connections."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_CONNECTIONS):
        raise argparse.ArgumentTypeError(f"it takes a number from 1 to {_MOST_CONNECTIONS}")
    return int(text)


def workers(text: str) -> int:
    """Return a number of processes."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_WORKERS):
        raise argparse.ArgumentTypeError(f"it takes a number from 1 to {_MOST_WORKERS}")
    return int(text)


def port(text: str) -> int:
    """Return a number of a port; 0 is any that is free."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError("it takes a number from 0 to 65535")
    return int(text)


def requests(text: str) -> int:
    """Return a number of requests."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_REQUESTS):
        raise argparse.ArgumentTypeError(f"it takes a number from 1 to {_MOST_REQUESTS}")
    return int(text)


def megabytes(text: str) -> float:
    """Return a number of megabytes, up to four thousand."""
    try:
        given = float(text)
    except ValueError:
        given = 0.0
    if not 0 < given <= _MOST_MEGABYTES:
        raise argparse.ArgumentTypeError(f"it takes megabytes between 0 and {_MOST_MEGABYTES}")
    return given


def seconds(text: str) -> float:
    """Return a number of seconds, up to a day."""
    try:
        given = float(text)
    except ValueError:
        given = 0.0
    if not 0 < given <= 86_400:
        raise argparse.ArgumentTypeError("it takes seconds between 0 and 86400")
    return given
