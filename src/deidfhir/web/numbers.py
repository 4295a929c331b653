"""JSON whose decimals survive: what someone else wrote as 1.10 is written back as 1.10.

What was written out once is not written out again: for a transaction that is most of the work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# No FHIR string holds a NUL, so nothing else can look like what is put back.
_MARK = "\0"
_DIGITS = 1000
_MARKED = re.compile(r'"\\u0000(-?[0-9][0-9.eE+-]*|)"')

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal, as it is written.

    Args:
        text: Its characters.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """JSON that is written out already.

    Args:
        text: Its characters.
    """

    text: str


class Spelled(dict[str, Any]):
    """A JSON object that nobody changes any more, with its JSON.

    Args:
        content: The object.
        text: Its JSON, if it was written out before.
    """

    __slots__ = ("text",)

    def __init__(self, content: Mapping[str, Any], text: str | None = None) -> None:
        super().__init__(content)
        self.text = encoded(content) if text is None else text


def spelled(content: dict[str, Any]) -> str:
    """Return the JSON of an object, written out now if it was not before."""
    return content.text if isinstance(content, Spelled) else encoded(content)


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
    texts: list[str] = []

    def marked(value: object) -> str:
        if isinstance(value, Number):
            return _MARK + value.text
        if isinstance(value, Text):
            texts.append(value.text)
            return _MARK
        raise TypeError(type(value).__name__)

    text = json.dumps(
        content,
        ensure_ascii=False,
        separators=separators,
        default=marked,
        sort_keys=in_order,
    )
    if r'"\u0000' in text:
        put_back = iter(texts)
        text = _MARKED.sub(lambda mark: mark[1] or next(put_back, mark[0]), text)
    if text.isascii():
        return text
    # Half a pair is no character; JSON can name it, and so it comes back as it came.
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _integer(text: str) -> int | Number:
    # A decimal may be written without a point: as an integer, -0 would lose its sign, and Python
    # reads none of thousands of digits.
    return Number(text) if text == "-0" or len(text) > _DIGITS else int(text)


def line_of(resource: Mapping[str, Any]) -> str:
    """Return a resource as one line; the same resource is always the same bytes."""
    return encoded(resource, separators=(",", ":"))
