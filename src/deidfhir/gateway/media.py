"""Media types: of a body, and of the answers that a client accepts (RFC 9110 8.3 and 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"\s*({_WORD}/{_WORD})\s*")
_PARAMETER = re.compile(rf';\s*(?:({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*)")\s*)?')
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_LONGEST = 1000


class MediaType(NamedTuple):
    """A media type with its parameters.

    Args:
        name: Type and subtype, in lower case.
        parameters: Name, in lower case → value.
    """

    name: str
    parameters: dict[str, str]


def media_type(header: str) -> MediaType | None:
    """Return the media type that a header states, or None if it is none.

    Args:
        header: Its value.
    """
    match = _TYPE.match(header) if len(header) <= _LONGEST else None
    if match is None:
        return None
    found, position = MediaType(match[1].lower(), {}), match.end()
    while position < len(header):
        parameter = _PARAMETER.match(header, position)
        if parameter is None or parameter.end() == position:
            return None
        name, token, quoted = parameter.groups()
        if name is not None:
            value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            if found.parameters.setdefault(name.lower(), value) != value:
                return None
        position = parameter.end()
    return found


@lru_cache(maxsize=64)
def accepted(header: str, offered: Sequence[str]) -> str | None:
    """Return which of some media types a client likes most, or None if it takes none of them.

    Args:
        header: Its Accept; empty where it has none.
        offered: The media types, the best first.
    """
    if not header.strip():
        return offered[0]
    ranges = [one for part in header.split(",")[:50] if (one := _range(part)) is not None]
    rated = [(_quality(one, ranges), -number, one) for number, one in enumerate(offered)]
    quality, _, best = max(rated)
    return best if quality > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    found = media_type(text)
    quality = found.parameters.get("q", "1") if found else ""
    if found is None or not _QUALITY.fullmatch(quality):
        return None
    return found.name, float(quality)


def _quality(name: str, ranges: list[tuple[str, float]]) -> float:
    """Return the quality of the range that fits best."""
    for pattern in (name, f"{name.partition('/')[0]}/*", "*/*"):
        found = [quality for one, quality in ranges if one == pattern]
        if found:
            return max(found)
    return 0.0
