"""Files like one that was spoilt, so that the scan compares it with them instead of walking it."""

from __future__ import annotations

from bisect import bisect
from functools import lru_cache

from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.heads import CHARSET, GROUP_LENGTH, PREAMBLE, TRANSFER_SYNTAX
from deidfhir.dicom.scan.signs import OddError, ShortError
from tools.fuzz.shapes import alike, difference, shape_of
from tools.fuzz.states import State

_FIXED = (CHARSET, GROUP_LENGTH, TRANSFER_SYNTAX)
"""What decides how the rest is read: where that differs, nothing is compared."""

_MOST = 40


class Neighbours:
    """Finds them.

    Args:
        seeds: The files that others are made of.
    """

    def __init__(self, seeds: list[bytes]) -> None:
        kept = [one for one in seeds if can_be_walked(one)]
        self._seeds = sorted(kept, key=lambda one: one[PREAMBLE:])
        self._begins = [one[PREAMBLE:] for one in self._seeds]

    def of(self, data: bytes, origin: bytes | None) -> tuple[bytes, ...]:
        """Return two files: one that has other values where the file was spoilt, and its origin.

        Args:
            data: The file that was spoilt.
            origin: What it was made of, if that is known.
        """
        if origin is None or origin == data or not can_be_walked(origin):
            origin = self._nearest(data)
        if not origin:
            return ()
        sibling = _sibling(origin, data)
        return (sibling if can_be_walked(sibling) else origin), origin

    def _nearest(self, data: bytes) -> bytes:
        """Return the seed that begins like the file."""
        begins = data[PREAMBLE:]
        place = bisect(self._begins, begins)
        near = range(max(0, place - 1), min(len(self._seeds), place + 1))
        best = max(near, key=lambda one: alike(self._begins[one], begins), default=None)
        return b"" if best is None else self._seeds[best]


@lru_cache(64)
def can_be_walked(data: bytes) -> bool:
    """Return whether the scan reads a file, so that it may be remembered."""
    State().enter()
    try:
        header_of(data, whole=True)
    except (OddError, ShortError):
        return False
    except Exception:  # noqa: BLE001 - found and told where the file itself is checked
        return False
    return True


def _sibling(origin: bytes, data: bytes) -> bytes:
    """Return the origin with other values in its first elements and where the file is spoilt."""
    begin, end = difference(origin, data)
    spoilt = bytearray(origin)
    changed = 0
    for number, piece in enumerate(shape_of(origin).pieces):
        within = piece.begin <= end and piece.end >= begin
        if piece.tag not in _FIXED and piece.end > piece.start and (within or number < 4):
            spoilt[(piece.start + piece.end) // 2] ^= 1
            changed += 1
        if changed == _MOST:
            break
    return bytes(spoilt)
