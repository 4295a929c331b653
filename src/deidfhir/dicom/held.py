"""A stream that cannot be sought in, held as far as it was read: for pydicom, which goes back."""

from __future__ import annotations

import os

from deidfhir.dicom.elements import ObjectSkipped
from deidfhir.dicom.scan.prefix import Read

_PIECE = 64 << 10


class Held:
    """The beginning of a stream.

    Args:
        data: What was read of it already.
        read: Gives what follows.
        most: Bytes that may be held.
    """

    def __init__(self, data: bytes, read: Read, most: int) -> None:
        self._data, self._read, self._most = bytearray(data), read, most
        self._at, self._ended = 0, False

    def tell(self) -> int:
        """Return the place of the next byte that is read."""
        return self._at

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as in a file: also one beyond the end.

        Raises:
            ValueError: The place is none, or counted from an end that nobody knows.
        """
        if whence == os.SEEK_CUR:
            place += self._at
        if whence == os.SEEK_END or place < 0:
            raise ValueError(place)
        self._at = place
        return place

    def read(self, size: int = -1) -> bytes:
        """Return bytes: fewer than `size` only at the end.

        Raises:
            ObjectSkipped: `object-too-large`.
        """
        end = self._most + 1 if size < 0 else self._at + size
        self._fill(end)
        data = bytes(self._data[self._at : end])
        self._at += len(data)
        return data

    def _fill(self, end: int) -> None:
        while not self._ended and len(self._data) < end:
            if len(self._data) >= self._most:
                raise ObjectSkipped("object-too-large")
            more = self._read(min(_PIECE, self._most - len(self._data)))
            self._data += more
            self._ended = not more
