"""A JSON array that is read as it comes: object by object, never held whole."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

_SPACE = " \t\n\r"
_MOST = 256 << 20
"""Characters that one object may have."""


def objects_in(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON array, or the one object that stands alone.

    Args:
        chunks: The bytes, UTF-8, in pieces of any size; without any there is no object.

    Raises:
        ValueError: They are no such JSON, or end early.
        RecursionError: An object is nested too deep.
    """
    text = _Text(chunks)
    first = text.next_sign()
    if not first:
        return
    if first == "{":
        yield text.take_object()
    elif first == "[":
        text.skip(1)
        yield from _listed(text)
    else:
        raise ValueError("no array")
    if text.next_sign():
        raise ValueError("more than one value")


def _listed(text: _Text) -> Iterator[dict[str, Any]]:
    """Yield what stands behind the bracket that opens an array."""
    if text.next_sign() == "]":
        text.skip(1)
        return
    while True:
        if text.next_sign() != "{":
            raise ValueError("no object")
        yield text.take_object()
        sign = text.next_sign()
        text.skip(1)
        if sign == "]":
            return
        if sign != ",":
            raise ValueError("no comma")


class _Text:
    """What has come of a text and is not taken yet."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._held, self._at = "", 0

    def _more(self) -> bool:
        """Take in more; whether there was any."""
        for chunk in self._chunks:
            if found := self._decoder.decode(chunk):
                self._held = self._held[self._at :] + found
                self._at = 0
                return True
        self._decoder.decode(b"", final=True)
        return False

    def next_sign(self) -> str:
        """Return the next character that is no space, or nothing at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in _SPACE:
                    return self._held[self._at]
                self._at += 1
            if not self._more():
                return ""

    def skip(self, count: int) -> None:
        """Pass over characters that were looked at."""
        self._at += count

    def take_object(self) -> dict[str, Any]:
        """Return the object that begins here."""
        least = 0
        while True:
            # What did not do before is tried again once there is twice as much of it.
            if len(self._held) - self._at >= least:
                try:
                    found, self._at = self._json.raw_decode(self._held, self._at)
                except ValueError:
                    least = 2 * (len(self._held) - self._at)
                else:
                    return dict(found)
            if len(self._held) - self._at > _MOST:
                raise ValueError("an object without end")
            if not self._more():
                found, self._at = self._json.raw_decode(self._held, self._at)
                return dict(found)
