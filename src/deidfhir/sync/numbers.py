"""JSON whose decimals survive: what someone else wrote as 1.10 is written back as 1.10."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# No FHIR string holds a NUL, so nothing else can look like a number that is put back.
_MARK = "\0"
_DIGITS = 1000
_MARKED = re.compile(r'"\\u0000(-?[0-9][0-9.eE+-]*)"')

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal, as it is written.

    Args:
        text: Its characters.
    """

    text: str


def decoded(content: bytes | str) -> Any:  # noqa: ANN401 - any JSON
    """Return what JSON holds, each decimal as it is written.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is too deep.
    """
    return json.loads(content, parse_float=Number, parse_int=_integer)


def encoded(
    content: object, *, separators: tuple[str, str] | None = None, in_order: bool = False
) -> str:
    """Return JSON in which decimals are as they were written.

    Args:
        content: Such as `decoded` returns.
        separators: As for `json.dumps`.
        in_order: Whether the keys of objects are in their order, not in the one given.
    """
    text = json.dumps(
        content,
        ensure_ascii=False,
        separators=separators,
        default=_marked,
        sort_keys=in_order,
    )
    if r'"\u0000' in text:
        text = _MARKED.sub(r"\1", text)
    if text.isascii():
        return text
    # Half a pair is no character; JSON can name it, and so it comes back as it came.
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _integer(text: str) -> int | Number:
    # A decimal may be written without a point: as an integer, -0 would lose its sign, and Python
    # reads none of thousands of digits.
    return Number(text) if text == "-0" or len(text) > _DIGITS else int(text)


def _marked(value: object) -> str:
    if isinstance(value, Number):
        return _MARK + value.text
    raise TypeError(type(value).__name__)
