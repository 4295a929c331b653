"""A file that is read from its beginning to its end, through gzip or not, within limits."""

from __future__ import annotations

import os
from typing import IO

from deidfhir.containers.faults import DAMAGED, ContainerError
from deidfhir.containers.inflating import Gzip
from deidfhir.containers.limits import Limits

_GZIP_MARK = b"\x1f\x8b"
_SKIPPED = 256 << 10


class Forward:
    """Bytes in their order, with what tarfile asks of a file.

    Args:
        stream: The file.
        size: Its bytes.
        limits: How many bytes may come of it.
    """

    def __init__(self, stream: IO[bytes], size: int, limits: Limits) -> None:
        self._stream, self._size, self._limits = stream, size, limits
        stream.seek(0)
        packed = stream.read(2) == _GZIP_MARK
        stream.seek(0)
        self._gzip = Gzip(stream.read) if packed else None
        self._at, self._allowed = 0, 0
        self.last = b""

    def allow(self, size: int) -> None:
        """Let so many bytes be read as headers from here on."""
        self._allowed = size

    def tell(self) -> int:
        """Return how many bytes were passed."""
        return self._at

    def read(self, size: int) -> bytes:
        """Return bytes of headers: fewer than `size` only at the end.

        Raises:
            ContainerError: `container-damaged` or `container-limit`.
        """
        self._allowed -= size
        if self._allowed < 0 or size < 0:
            raise ContainerError("container-limit")
        data = self.take(size)
        while len(data) < size and (more := self.take(size - len(data))):
            data += more
        self.last = data
        return data

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end.

        Raises:
            ContainerError: `container-damaged` or `container-limit`.
        """
        if not size:
            return b""
        data = self._gzip.read(size) if self._gzip else self._stream.read(size)
        self._passed(self._at + len(data))
        return data

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go on to a place.

        Raises:
            ContainerError: `container-damaged`, also for a place that was passed;
                `container-limit`.
        """
        if whence != os.SEEK_SET or place < self._at:
            raise ContainerError(DAMAGED)
        if self._gzip is None:
            if place > self._size:
                raise ContainerError(DAMAGED)
            self._stream.seek(place)
            self._passed(place)
        while self._at < place:
            if not self.take(min(_SKIPPED, place - self._at)):
                raise ContainerError(DAMAGED)
        return self._at

    def _passed(self, place: int) -> None:
        self._at = place
        packed = self._stream.tell() if self._gzip else place
        self._limits.require_size(place)
        self._limits.require_ratio(place, packed)
