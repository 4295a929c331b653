"""Regulatory terms in method texts (`mappings/regulatory-terms.toml`): always inferred."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from deidfhir.tables import table

_NEAR = 32  # characters before and after a term that are searched for a denial


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    # Words may be joined by underscores, so the ends of a word are those of letters and digits.
    return {
        code: re.compile(rf"(?<![^\W_])(?:{'|'.join(row['patterns'])})(?![^\W_])", re.IGNORECASE)
        for code, row in table("regulatory-terms.toml")["term"].items()
    }


@lru_cache(maxsize=1)
def _denials() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what denies a term directly before it, and what denies it directly after it."""
    words = {
        place: "|".join(found) for place, found in table("regulatory-terms.toml")["denial"].items()
    }
    # A prefix denies the word that it is joined to, and none after that: de-identified by ….
    apart = rf"\b(?:{words['before']})\b[\s-]*(?:\w+\s+){{0,2}}"
    before = rf"(?:{apart}|(?<![^\W_])(?:{words['prefix']})[\s_-]*)$"
    linked = rf"\b(?:{words['linking']})\b"
    after = rf"(?![^\W_])[\s:=_-]*(?:{linked}\s+){{0,3}}(?:{words['after']})(?![^\W_])"
    return re.compile(before, re.IGNORECASE), re.compile(after, re.IGNORECASE)


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
    before, after = _denials()
    return any(
        not before.search(text[max(0, match.start() - _NEAR) : match.start()])
        and not after.match(text[match.end() : match.end() + _NEAR])
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
