"""One file → another one that is spoilt: the same seed spoils it in the same way."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tools.fuzz.edits import EDITS, spliced
from tools.fuzz.shapes import Piece, deflated, inflated, pieces_of, shape_of

Engine = Callable[[bytes, int], bytes]
"""Bytes and the most bytes that may come of them → other bytes."""

_WITHIN = 0.85
"""How often the data set of a deflated file is spoilt, and not what it was deflated to."""


class Mutator:
    """Spoils files.

    Args:
        donors: Files of which elements are taken.
        engine: What else changes bytes: that of the fuzzer knows what they are compared with.
    """

    def __init__(self, donors: list[bytes], engine: Engine | None = None) -> None:
        self._donors, self._engine = donors, engine

    def spoil(self, data: bytes, most: int, seed: int) -> bytes:
        """Return a file that is spoilt in one place or a few.

        Args:
            data: The file.
            most: How many bytes may come of it.
            seed: What decides.
        """
        rng = Random(seed)
        shape = shape_of(data)
        if shape.deflated and rng.random() < _WITHIN:
            body = inflated(data, shape.body)
            if body and (pieces := pieces_of(body)):
                return (data[: shape.body] + deflated(self._edited(body, pieces, rng)))[:most]
        if not data:
            return rng.choice(self._donors)[:most]
        pieces = shape.pieces or [Piece(0, b"", 0, 4, 8, len(data))]
        return self._edited(data, pieces, rng, most)[:most]

    def cross(self, one: bytes, other: bytes, most: int, seed: int) -> bytes:
        """Return a file that has elements of two.

        Args:
            one: A file.
            other: Another one.
            most: How many bytes may come of them.
            seed: What decides.
        """
        pieces, given = shape_of(one).pieces, shape_of(other).pieces
        if not pieces or not given:
            return one[:most]
        return spliced(one, pieces, (other, given), Random(seed))[:most]

    def _edited(self, data: bytes, pieces: list[Piece], rng: Random, most: int = 1 << 20) -> bytes:
        kind = rng.random()
        if kind < 0.1:
            donor = rng.choice(self._donors)
            if given := shape_of(donor).pieces:
                return spliced(data, pieces, (donor, given), rng)
        if kind < 0.3 and self._engine is not None:
            piece = rng.choice(pieces)
            begin = piece.begin if rng.random() < 0.5 else piece.start
            rest = data[:begin], data[piece.end :]
            room = most - len(rest[0]) - len(rest[1])
            if room > 0:
                return rest[0] + self._engined(data[begin : piece.end], room) + rest[1]
        return rng.choice(EDITS)(data, pieces, rng)

    def _engined(self, data: bytes, most: int) -> bytes:
        """Let the engine change some bytes; it wants at least one."""
        return self._engine(data, most) if self._engine is not None and data else data
