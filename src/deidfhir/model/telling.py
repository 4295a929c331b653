"""Method texts that are no method: persons, operators, files, hosts, dates, batches (D7)."""

from __future__ import annotations

import re
from functools import lru_cache

from deidfhir.tables import table

# LO holds 64 characters, and no chain of tools writes many values: a text without end must not hold
# up a run.
_LONGEST = 256
_ALL = 4096
_SEPARATOR = "\\"


def telling(values: tuple[str, ...]) -> dict[int, frozenset[str]]:
    """Return number of a value, from 0 → codes of the findings that it gives.

    Args:
        values: The values of De-identification Method (0012,0063).
    """
    return _telling(tuple(_looked_at(values)))


@lru_cache(maxsize=4096)
def _telling(shown: tuple[str, ...]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    starts = _starts(shown)
    joined = _SEPARATOR.join(shown)
    for code, anywhere, whole in _patterns():
        for match in anywhere.finditer(joined) if anywhere else ():
            for number in _covered(match, starts):
                found.setdefault(number, set()).add(code)
        for number, value in enumerate(shown):
            if whole and whole.fullmatch(value):
                found.setdefault(number, set()).add(code)
    return {number: frozenset(codes) for number, codes in found.items()}


def unseen(values: tuple[str, ...]) -> frozenset[int]:
    """Return the numbers, from 0, of the values that `telling` does not look at to their end.

    Args:
        values: The values of De-identification Method (0012,0063).
    """
    shown = _looked_at(values)
    return frozenset(
        number
        for number, value in enumerate(values)
        if number >= len(shown) or len(shown[number]) < len(value.strip(" \0"))
    )


def _looked_at(values: tuple[str, ...]) -> list[str]:
    shown: list[str] = []
    left = _ALL
    for value in values:
        text = value.strip(" \0")[: min(_LONGEST, left)]
        left -= len(text) + len(_SEPARATOR)
        if left < 0:
            break
        shown.append(text)
    return shown


def _starts(values: tuple[str, ...]) -> list[int]:
    starts, place = [], 0
    for value in values:
        starts.append(place)
        place += len(value) + len(_SEPARATOR)
    return starts


def _covered(match: re.Match[str], starts: list[int]) -> list[int]:
    """Return the numbers of the values of which a match holds a character."""
    return [
        number
        for number, start in enumerate(starts)
        if start < match.end()
        and (number + 1 == len(starts) or starts[number + 1] - 1 > match.start())
    ]


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str] | None, re.Pattern[str] | None], ...]:
    return tuple(
        (code, _either(row.get("anywhere")), _either(row.get("whole")))
        for code, row in table("telling-texts.toml").items()
    )


def _either(patterns: list[str] | None) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)
