"""Regulatory terms in method texts (`mappings/regulatory-terms.toml`): always inferred."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from deidfhir.tables import table

# What stands directly before a term and says that it does not hold.
_DENIED = re.compile(
    r"(?:\b(?:not|non|no|never|without|un|de|re|isn't|cannot)\b[\s-]*(?:\w+\s+){0,2})$",
    re.IGNORECASE,
)
_BEFORE = 32


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    # Words may be joined by underscores, so the ends of a word are those of letters and digits.
    return {
        code: re.compile(rf"(?<![^\W_])(?:{'|'.join(row['patterns'])})(?![^\W_])", re.IGNORECASE)
        for code, row in table("regulatory-terms.toml")["term"].items()
    }


def mentions(code: str, text: str) -> bool:
    """Whether a text mentions a term, even to deny it.

    Args:
        code: Key of `mappings/regulatory-terms.toml`.
        text: Any text.
    """
    return _patterns()[code].search(text) is not None


def speaks_of(code: str, text: str) -> bool:
    """Whether a text says that a term holds.

    Args:
        code: Key of `mappings/regulatory-terms.toml`.
        text: Any text.
    """
    return any(
        not _DENIED.search(text[max(0, match.start() - _BEFORE) : match.start()])
        for match in _patterns()[code].finditer(text)
    )


def terms_in(values: Iterable[str]) -> list[tuple[int, tuple[str, ...]]]:
    """Return the terms that each value speaks of, by the value's number from 1.

    A term is left out of the whole object where another stands that excludes it: a limited data
    set is never called anonymised.

    Args:
        values: The values of De-identification Method (0012,0063).
    """
    rows = table("regulatory-terms.toml")["term"]
    found = [
        (number, [code for code in rows if speaks_of(code, value)])
        for number, value in enumerate(values, start=1)
    ]
    present = {code for _, codes in found for code in codes}
    barred = {code for code in present if present & set(rows[code].get("never_with", ()))}
    kept = [
        (number, tuple(code for code in codes if code not in barred)) for number, codes in found
    ]
    return [(number, codes) for number, codes in kept if codes]
