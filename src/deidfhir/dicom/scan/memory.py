"""The files that were scanned last, and how the next one is compared with them."""

from __future__ import annotations

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.scan.heads import GROUP_LENGTH, META_GROUP, PREAMBLE
from deidfhir.dicom.scan.layout import Layout, Walked, layout_of
from deidfhir.dicom.scan.root import Root
from deidfhir.dicom.scan.signs import OddError, ShortError

_GROUP_LENGTH_SIZE = 12
_TRIES, _PAUSE = 4, 32
"""After so many files in a row of which none was like the one before, so many are only walked."""


class Memory:
    """Remembers the last file, and what it had in common with the one before it."""

    __slots__ = ("_before", "_layout", "_misses")

    def __init__(self) -> None:
        self._misses = 0
        self._before: Walked | None = None
        self._layout: Layout | None = None

    def read(self, data: bytes) -> tuple[Elements, Root] | None:
        """Return File Meta and data set of a file, or None where it must be walked.

        Args:
            data: The file from its beginning on.
        """
        layout = self._layout  # another thread may forget it meanwhile
        if layout is None:
            return None
        try:
            read = _read(data, layout)
        except (OddError, ShortError):
            return None
        if read is not None:
            self._misses = 0
        return read

    def keep(self, walked: Walked) -> None:
        """Remember a file that was walked.

        Args:
            walked: The file.
        """
        self._misses += 1
        if self._misses > _TRIES and self._misses % _PAUSE:
            self._before = self._layout = None
            return
        layout = self._layout
        differed = frozenset[int]() if layout is None else layout.differ
        before, self._before = self._before, walked
        self._layout = None if before is None else layout_of(before, walked, differed)


def _read(data: bytes, layout: Layout) -> tuple[Elements, Root] | None:
    root = Root(data, explicit=layout.explicit)
    meta = Root(data, explicit=True)
    root.codec, meta.codec = layout.codec, ""
    pos = PREAMBLE
    for run in layout.runs:
        if not data.startswith(run.data, pos):
            return None
        pos += len(run.data)
        meta.found.update(run.meta)
        root.found.update(run.found)
        tag = run.differs
        if tag is not None:
            place, begin = (meta if tag >> 16 == META_GROUP else root), pos
            pos = place.take(tag, run.slot, pos)
            if tag == GROUP_LENGTH and pos - begin != _GROUP_LENGTH_SIZE:
                return None
    if root.codec != layout.codec:
        return None
    root.walk(pos, layout.last)
    return meta.found, root
