"""Deflated bytes → bytes, piece by piece: never more is held than was asked for."""

from __future__ import annotations

import zlib

from deidfhir.containers.faults import DAMAGED, ContainerError
from deidfhir.containers.members import Read

RAW, GZIP = -zlib.MAX_WBITS, 16 + zlib.MAX_WBITS
_PIECE = 16 << 10


class Inflated:
    """A deflated stream.

    Args:
        read: Gives the deflated bytes.
        form: `RAW` (RFC 1951) or `GZIP` (RFC 1952).
    """

    def __init__(self, read: Read, form: int) -> None:
        self._read, self._engine = read, zlib.decompressobj(form)
        self._rest = b""

    @property
    def unused(self) -> bytes:
        """What was read beyond its end."""
        return self._engine.unused_data

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end.

        Raises:
            ContainerError: `container-damaged`.
        """
        while size > 0 and not self._engine.eof:  # 0 would be no bound to zlib
            packed = self._rest or self._read(_PIECE)
            try:
                data = self._engine.decompress(packed, size)
            except zlib.error:
                raise ContainerError(DAMAGED) from None
            self._rest = self._engine.unconsumed_tail
            if data:
                return data
            if not packed and not self._engine.eof:
                raise ContainerError(DAMAGED)
        return b""


class Gzip:
    """A gzip file: one stream, or several that follow one another (RFC 1952 2.2).

    Args:
        read: Gives the bytes of the file.
    """

    def __init__(self, read: Read) -> None:
        self._file, self._ahead = read, b""
        self._stream = Inflated(self._more, GZIP)

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size` of them; none at the end.

        Raises:
            ContainerError: `container-damaged`, also for other bytes behind the end.
        """
        while not (data := self._stream.read(size)):
            if not self._begins_again():
                return b""
        return data

    def _begins_again(self) -> bool:
        """Begin the stream that follows, if one does; zeros that fill up a tape are none."""
        ahead = (self._stream.unused + self._ahead).lstrip(b"\0")
        while not ahead:
            piece = self._file(_PIECE)
            if not piece:
                return False
            ahead = piece.lstrip(b"\0")
        self._ahead = ahead
        self._stream = Inflated(self._more, GZIP)
        return True

    def _more(self, size: int) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead, b""
            return data
        return self._file(size)
