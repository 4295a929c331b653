"""What two neighbouring files had in common: the next one is compared, not walked.

Equal bytes that begin with an element say the same. In a series all but some sixteen elements are
equal from instance to instance, and what lies between two that differ is compared as one run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.scan.heads import META_GROUP, TRANSFER_SYNTAX
from deidfhir.dicom.scan.slots import Slot, meta_slots, root_slots

Mark = tuple[int, int, int]
"""Tag, first byte and end of an element."""

_MOST_DIFFER = 64


@dataclass(slots=True)
class Walked:
    """One file that was walked from its beginning on.

    Args:
        data: Its bytes.
        marks: Its elements up to the last that is wanted, File Meta included, in their order.
        explicit: Whether VRs are written in its data set.
        codec: That of its texts.
        meta: The wanted elements of File Meta.
        found: Those of the data set.
    """

    data: bytes
    marks: list[Mark] = field(default_factory=list)
    explicit: bool = True
    codec: str = ""
    meta: Elements = field(default_factory=dict)
    found: Elements = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """Elements that follow each other and did not differ, and the one behind them that did.

    Args:
        data: Their bytes.
        meta: The wanted elements of File Meta among them.
        found: Those of the data set.
        differs: Tag of the element behind them; None behind the last run.
        slot: Where that one goes, if it is wanted.
    """

    data: bytes = b""
    meta: Elements = field(default_factory=dict)
    found: Elements = field(default_factory=dict)
    differs: int | None = None
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The runs of a file, and what holds for all of them.

    Args:
        runs: In their order, from the end of the preamble on.
        explicit: Whether VRs are written in the data set.
        codec: That of the texts.
        differ: Tags of the elements between the runs.
        last: The last tag in them.
    """

    runs: tuple[Run, ...]
    explicit: bool
    codec: str
    differ: frozenset[int]
    last: int


def slot_of(tag: int) -> Slot | None:
    """Return where an element of File Meta or of the root data set goes, if it is wanted."""
    return (meta_slots() if tag >> 16 == META_GROUP else root_slots()).get(tag)


def _first(marks: list[Mark]) -> int:
    """Return the first tag of the data set: where no VR is written, it shows that."""
    return next((tag for tag, _, _ in marks if tag >> 16 != META_GROUP), 0)


def layout_of(before: Walked, now: Walked, differed: frozenset[int]) -> Layout | None:
    """Return the layout of a file by what it has in common with the one before it, if that is much.

    Args:
        before: The file before it.
        now: The file.
        differed: Tags of elements that differed between earlier files.
    """
    if (before.explicit, before.codec) != (now.explicit, now.codec):
        return None
    known = {tag: before.data[begin:end] for tag, begin, end in before.marks}
    runs, start, run, differ = [], now.marks[0][1], Run(), set()
    for tag, begin, end in now.marks:
        slot = slot_of(tag)
        if tag in differed or known.get(tag) != now.data[begin:end]:
            differ.add(tag)
            run.data, run.differs, run.slot = now.data[start:begin], tag, slot
            runs.append(run)
            start, run = end, Run()
        elif slot is not None and tag >> 16 == META_GROUP:
            run.meta[slot.keyword] = now.meta[slot.keyword]
        elif slot is not None:
            run.found[slot.keyword] = now.found[slot.keyword]
    tag, _, end = now.marks[-1]
    run.data = now.data[start:end]
    runs.append(run)
    decides = {TRANSFER_SYNTAX} if now.explicit else {TRANSFER_SYNTAX, _first(now.marks)}
    if len(differ) > _MOST_DIFFER or differ & decides:
        return None
    return Layout(tuple(runs), now.explicit, now.codec, frozenset(differ), tag)
