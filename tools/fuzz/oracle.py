"""Whether the scan says of some bytes what pydicom says: alone, beside neighbours, at length."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from deidfhir.dicom.elements import Header, ObjectSkipped
from deidfhir.dicom.fallback import header_by_pydicom
from deidfhir.dicom.scan.header import header_of
from deidfhir.dicom.scan.prefix import opened
from tools.fuzz.neighbours import Neighbours
from tools.fuzz.shapes import deflated, inflated, shape_of
from tools.fuzz.states import INFLATED, STEPS, State

SLOWEST = 2.0
"""Seconds of the processor that a scan may take."""

_LEFT = 8
"""Of so many files that the scan leaves alone, one is read by pydicom."""

_LASTING = 64
"""So many files are read before what was remembered of them is taken away."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Bytes of which the scan says something else than pydicom.

    Args:
        way: How they were read: `alone`, `beside` its neighbours, `lasting` memory.
        what: What differs.
        before: The files that were read before.
        data: The bytes.
    """

    way: str
    what: str
    before: tuple[bytes, ...]
    data: bytes


def save(found: Difference, folder: Path) -> Path:
    """Write what shows a difference: the file, what was read before it, and what differs.

    Args:
        found: The difference.
        folder: Where; it is made, and returned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(found.before):
        (folder / f"before-{number:02}.dcm").write_bytes(data)
    (folder / "input.dcm").write_bytes(found.data)
    text = json.dumps({"way": found.way, "what": found.what}, indent=1)
    (folder / "difference.json").write_text(text, encoding="utf-8")
    return folder


class _Reading(NamedTuple):
    way: str
    before: tuple[bytes, ...]
    found: Header | str | None


@dataclass(slots=True)
class Tally:
    """What was counted.

    Args:
        counts: `executions`, `scanned`, `remembered`, `left`, `compared`, `skipped`.
        slowest: Seconds of the slowest scan, and of pydicom's slowest read.
    """

    counts: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=lambda: {"scan": 0.0, "pydicom": 0.0})


class Oracle:
    """Reads bytes each way.

    Args:
        folder: Where it may write the file that is read.
        seeds: The files that others are made of.
    """

    def __init__(self, folder: Path, seeds: list[bytes]) -> None:
        self._path = folder / "read.dcm"
        self._neighbours = Neighbours(seeds)
        self._lasting, self._read = State(few=True), list[bytes]()
        self.tally = Tally()

    def check(self, data: bytes, origin: bytes | None = None) -> Difference | None:
        """Return how the scan's word of some bytes differs from pydicom's, or None.

        Args:
            data: The bytes.
            origin: What they were made of, if that is known.
        """
        counts = self.tally.counts
        counts["executions"] += 1
        self._path.write_bytes(data)
        readings = self._readings(data, origin)
        states = [one.found for one in readings]
        counts["left" if states[0] is None else "scanned"] += 1
        # Where the scan leaves a file to pydicom, only now and then is looked how that ends.
        if all(one is None for one in states) and crc32(data) % _LEFT:
            return None
        wanted = self._by_pydicom(data)
        counts["compared"] += 1
        counts["skipped"] += isinstance(wanted, str)
        for one in readings:
            if what := told(one.found, wanted):
                return Difference(one.way, what, one.before, data)
        return None

    def _readings(self, data: bytes, origin: bytes | None) -> tuple[_Reading, ...]:
        State().enter()
        alone = _Reading("alone", (), self._scanned())
        return alone, self._beside(data, origin), self._at_length(data)

    def _beside(self, data: bytes, origin: bytes | None) -> _Reading:
        before = self._neighbours.of(data, origin)
        beside = State()
        beside.enter()
        for one in before:
            _remember(one)
        known = beside.memory.hits
        found = self._scanned()
        self.tally.counts["remembered"] += beside.memory.hits > known
        return _Reading("beside", before, found)

    def _at_length(self, data: bytes) -> _Reading:
        if len(self._read) == _LASTING:
            self._lasting, self._read = State(few=True), []
        self._lasting.enter(steps_of(data))
        before = tuple(self._read)
        self._read.append(data)
        return _Reading("lasting", before, self._scanned())

    def again(self, difference: Difference) -> str:
        """Return what differs when all that belongs to a difference is read again.

        Args:
            difference: As it was found.
        """
        lasting = difference.way == "lasting"
        state = State(few=lasting)
        state.enter()
        for one in difference.before:
            if lasting:
                state.enter(steps_of(one))
                self._path.write_bytes(one)
                self._scanned()
            else:
                _remember(one)
        self._path.write_bytes(difference.data)
        state.enter(steps_of(difference.data) if lasting else STEPS)
        return told(self._scanned(), self._by_pydicom(difference.data))

    def _scanned(self) -> Header | str | None:
        """Return what the scan says, or by which error it ends that it must not end by."""
        begun = time.thread_time()
        found: Header | str | None
        try:
            found = opened(str(self._path)).header
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            found = f"raised {error!r}"
        taken = time.thread_time() - begun
        self.tally.slowest["scan"] = max(self.tally.slowest["scan"], taken)
        return f"took {taken:.1f} s" if taken > SLOWEST else found

    def _by_pydicom(self, data: bytes) -> Header | str:
        """Return what pydicom says of a file, or why it skips it.

        It inflates all or nothing. The scan may read a deflated file that is cut behind its header,
        as both read any other: so what is left of that is deflated anew.
        """
        found = self._read_by_pydicom()
        shape = shape_of(data)
        if found == "truncated" and shape.deflated:
            left = inflated(data, shape.body, INFLATED)
            self._path.write_bytes(data[: shape.body] + deflated(left))
            return self._read_by_pydicom()
        return found

    def _read_by_pydicom(self) -> Header | str:
        begun = time.thread_time()
        try:
            return header_by_pydicom(self._path)
        except ObjectSkipped as skip:
            return skip.code
        finally:
            taken = time.thread_time() - begun
            self.tally.slowest["pydicom"] = max(self.tally.slowest["pydicom"], taken)


def _remember(data: bytes) -> None:
    with suppress(Exception):  # told where this file is itself checked
        header_of(data, whole=True)


def steps_of(data: bytes) -> tuple[int, ...]:
    """Return how many bytes are read of a file at first where a read may end anywhere."""
    first = 132 + crc32(data) % 4096
    return first, first + 997, STEPS[-1]


def told(found: Header | str | None, wanted: Header | str) -> str:
    """Return in words what differs, empty if nothing does.

    Args:
        found: What the scan says; None where it leaves the file to pydicom; a text for an error.
        wanted: What pydicom says, or why it skips the file.
    """
    if found is None:
        return ""
    if isinstance(found, str):
        return f"the scan {found}"
    if isinstance(wanted, str):
        return f"the scan reads what pydicom skips as {wanted}"
    if found == wanted and _order(found.elements) == _order(wanted.elements):
        return ""
    parts = {"evidence": (found.evidence, wanted.evidence), "odd": (found.odd, wanted.odd)}
    parts["tail"] = (found.tail_broken, wanted.tail_broken)
    for keyword in dict.fromkeys([*found.elements, *wanted.elements]):
        parts[keyword] = (found.elements.get(keyword), wanted.elements.get(keyword))
    unlike = [
        f"{name}: {one!r}, pydicom: {two!r}" for name, (one, two) in parts.items() if one != two
    ]
    return "; ".join(unlike) or "the order of the elements"


def _order(content: object) -> object:
    """Return the keywords of elements and of all items in them, in their order."""
    if isinstance(content, dict):
        return [(keyword, _order(one)) for keyword, one in content.items()]
    return [_order(one) for one in content] if isinstance(content, tuple) else None
