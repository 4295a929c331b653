"""The files that were scanned last, and how the next one is compared with them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.scan.heads import META_GROUP, PREAMBLE, TRANSFER_SYNTAX, UNDEFINED, length_of
from deidfhir.dicom.scan.layout import FIXED, SHORT, Layout, Walked, layout_of, slot_of
from deidfhir.dicom.scan.root import Root
from deidfhir.dicom.scan.signs import OddError, ShortError
from deidfhir.dicom.scan.support import taken_evidence
from deidfhir.model.record import Evidence

_LAYOUTS = 8
"""Series of several kinds, and files with a private blob now and then, lie side by side."""
_KINDS = 4
"""Of so many kinds of files the last one is remembered."""
_TRIES, _PAUSE = 16, 32
"""After so many files in a row of which none was like the one before, most of so many are only
walked: the first two are remembered, for it takes two to tell what files have in common."""


class Read(NamedTuple):
    """What was read of a file without walking it.

    Args:
        found: The wanted elements of the data set.
        evidence: What may support the recognition of a tool.
        passed: Whether the last wanted tag was passed.
    """

    found: Elements
    evidence: Evidence
    passed: bool


class Memory:
    """Remembers the last files that were walked, and what they had in common with others."""

    __slots__ = ("_before", "_layouts", "_misses")

    def __init__(self) -> None:
        self._misses = 0
        self._before: dict[tuple[bool, str, bytes], Walked] = {}
        self._layouts: tuple[Layout, ...] = ()

    def read(self, data: bytes) -> Read | None:
        """Return what a file holds, or None where it must be walked.

        Args:
            data: The file from its beginning on.

        Raises:
            ShortError: More of the file is needed.
        """
        layouts = self._layouts  # another thread may replace them meanwhile
        for number, layout in enumerate(layouts):
            try:
                read = _stepped(data, layout)
            except OddError:
                continue
            except (IndexError, struct.error):
                raise ShortError(len(data) + 1) from None
            if read is not None:
                self._misses = 0
                if number:
                    rest = (one for one in layouts if one is not layout)
                    self._layouts = (layout, *rest)
                return read
        return None

    def keep(self, walked: Walked) -> None:
        """Remember a file that was walked.

        Args:
            walked: The file.
        """
        self._misses += 1
        if self._misses > _TRIES and self._misses % _PAUSE > 1:
            self._before, self._layouts = {}, ()
            return
        layouts, kind = self._layouts, _kind_of(walked)
        before = self._before.pop(kind, None)
        if len(self._before) >= _KINDS:
            self._before = {}
        self._before[kind] = walked
        if before is None:
            return
        differed = layouts[0].differ if layouts else frozenset[int]()
        # A series begins: most likely the same elements will differ in it as in the one before.
        alike = walked if differed and self._misses == 1 else before
        layout = layout_of(alike, walked, differed)
        if layout is not None:
            self._layouts = (layout, *layouts[: _LAYOUTS - 1])


def _kind_of(walked: Walked) -> tuple[bool, str, bytes]:
    """Return what files must share to be compared."""
    begin, end = next((one[1:] for one in walked.marks if one[0] == TRANSFER_SYNTAX), (0, 0))
    return walked.explicit, walked.codec, walked.data[begin:end]


def _stepped(data: bytes, layout: Layout) -> Read | None:
    """Take the steps of a layout; what is not there as a whole is short however it is read."""
    found, meta, codec = layout.found.copy(), layout.meta, layout.codec
    pos, size = PREAMBLE, len(data)
    for run, length, kind, slot, tag in layout.steps:
        if not data.startswith(run, pos):
            _require_more(data, pos, run)
            return None
        pos += length
        if kind >= FIXED:
            pos = pos + 4 if kind == FIXED else _general(data, pos, tag, layout, found)
            continue
        if kind == SHORT:
            start = pos + 2
            pos = start + data[pos] + (data[pos + 1] << 8)
        else:
            start = pos + 4
            pos = start + _defined(data, pos)
        if pos > size:
            raise ShortError(pos)
        if slot is None:
            continue
        if tag >> 16 == META_GROUP:
            meta = {**meta, slot.keyword: slot.value(data[start:pos], "")}
        else:
            found[slot.keyword] = slot.value(data[start:pos], codec)
    evidence = layout.evidence or taken_evidence(meta, found)
    if layout.after and data.startswith(layout.after, pos) and pos + len(layout.after) + 8 <= size:
        return Read(found, evidence, passed=True)
    if not data.startswith(layout.rest, pos):
        _require_more(data, pos, layout.rest)
        return None
    known = len(found)
    root = _root(data, layout, found)
    root.walk(pos + len(layout.rest), layout.last)
    # What follows for the first time may be evidence, too: that is for a walk to tell.
    return Read(found, evidence, root.passed) if len(found) == known else None


def _require_more(data: bytes, pos: int, run: bytes) -> None:
    """Raise a ShortError where the bytes end within a run that is as it was so far."""
    if pos + len(run) > len(data) and run.startswith(data[pos:]):
        raise ShortError(pos + len(run))


def _defined(data: bytes, pos: int) -> int:
    """Return a length of 32 bits."""
    (length,) = length_of(data, pos)
    if length == UNDEFINED:
        raise OddError  # how it ends depends on what it is
    return int(length)


def _general(data: bytes, pos: int, tag: int, layout: Layout, found: Elements) -> int:
    """Take in an element as the walk does; return where it ends."""
    root = _root(data, layout, found)
    if tag >> 16 == META_GROUP:
        raise OddError  # nothing there is a sequence or has no length
    return root.take(tag, slot_of(tag), pos)


def _root(data: bytes, layout: Layout, found: Elements) -> Root:
    root = Root(data, explicit=layout.explicit)
    root.codec, root.found = layout.codec, found
    return root
