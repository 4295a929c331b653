"""What two neighbouring files had in common: the next one is compared, not walked.

Equal bytes that begin with an element say the same. In a series all but some sixteen elements are
equal from instance to instance, and what lies between two that differ is compared as one run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from deidfhir.dicom.elements import Elements
from deidfhir.dicom.scan.heads import (
    CHARSET,
    GROUP_LENGTH,
    META_GROUP,
    SHORT_VRS,
    TRANSFER_SYNTAX,
    UNDEFINED,
    length_of,
)
from deidfhir.dicom.scan.slots import CreatorSlot, Slot, meta_slots, root_slots
from deidfhir.dicom.scan.support import taken_evidence
from deidfhir.model.record import Evidence

Mark = tuple[int, int, int]
"""Tag, first byte and end of an element."""

_MOST_DIFFER = 64
_EXPLICIT_HEAD, _IMPLICIT_HEAD = 6, 4


@dataclass(slots=True)
class Walked:
    """One file that was walked from its beginning on.

    Args:
        data: Its bytes.
        marks: Its elements up to the last that is wanted, File Meta included, in their order.
        explicit: Whether VRs are written in its data set.
        codec: That of its texts.
        meta: The wanted elements of File Meta.
        found: Those of the data set, private creators included.
        passed: Whether an element follows that stands behind all that is wanted.
    """

    data: bytes
    marks: list[Mark] = field(default_factory=list)
    explicit: bool = True
    codec: str = ""
    meta: Elements = field(default_factory=dict)
    found: Elements = field(default_factory=dict)
    passed: bool = False


SHORT, LONG, FIXED, GENERAL = range(4)
"""How the length of an element that differs is found: in 16 bits behind tag and VR; in 32 bits; it
is the length of File Meta, which has four bytes; or as the walk finds it, where it is a sequence
that is wanted, or has no length."""


class Step(NamedTuple):
    """Elements that did not differ, and the one behind them that did.

    Args:
        data: Their bytes, with the head of the one that did as far as its length.
        size: Number of them.
        kind: How its length is found.
        slot: Where it goes, if it is wanted.
        tag: Its tag.
    """

    data: bytes
    size: int
    kind: int
    slot: Slot | None
    tag: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The steps of a file, and what holds for all files that take them.

    Args:
        steps: In their order, from the end of the preamble on.
        rest: What follows the last of them up to the last element that is wanted.
        after: The same with tag and VR of the element behind it; empty if there was none.
        explicit: Whether VRs are written in the data set.
        codec: That of the texts.
        meta: The wanted elements of File Meta, as they were.
        found: Those of the data set.
        differ: Tags of the elements that differed.
        last: The last tag in it.
        evidence: What may support the recognition of a tool; None where elements differ that may.
    """

    steps: tuple[Step, ...]
    rest: bytes
    after: bytes
    explicit: bool
    codec: str
    meta: Elements
    found: Elements
    differ: frozenset[int]
    last: int
    evidence: Evidence | None


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
    if now.marks[-1][0] >> 16 == META_GROUP:
        return None  # only an element of the data set shows where File Meta ends
    differ = _differing(before, now, differed)
    decides = {TRANSFER_SYNTAX, CHARSET, now.marks[0][0]} - {GROUP_LENGTH}
    if not now.explicit:
        decides.add(_first(now.marks))
    if len(differ) > _MOST_DIFFER or differ & decides:
        return None
    steps, start = [], now.marks[0][1]
    for tag, begin, end in now.marks:
        if tag in differ:
            steps.append(_step(now, start, tag, begin))
            start = end
    end, head = now.marks[-1][2], _EXPLICIT_HEAD if now.explicit else _IMPLICIT_HEAD
    # What differs has its place in the order of elements, too.
    meta, found = dict(now.meta), dict(now.found)
    return Layout(
        steps=tuple(steps),
        rest=now.data[start:end],
        after=now.data[start : end + head] if now.passed else b"",
        explicit=now.explicit,
        codec=now.codec,
        meta=meta,
        found=found,
        differ=frozenset(differ),
        last=now.marks[-1][0],
        evidence=None if any(_supports(one) for one in steps) else taken_evidence(meta, found),
    )


def _differing(before: Walked, now: Walked, differed: frozenset[int]) -> set[int]:
    """Return the tags of the elements that differ from those of the file before, or did so once."""
    if before is now:
        return {tag for tag, _, _ in now.marks if tag in differed}
    known = {tag: before.data[begin:end] for tag, begin, end in before.marks}
    return {
        tag
        for tag, begin, end in now.marks
        if tag in differed or known.get(tag) != now.data[begin:end]
    }


def _supports(step: Step) -> bool:
    """Whether an element that differs may support the recognition of a tool."""
    of_meta = step.slot is not None and step.tag >> 16 == META_GROUP
    return of_meta or isinstance(step.slot, CreatorSlot)


def _step(now: Walked, start: int, tag: int, begin: int) -> Step:
    """Return the step to an element that differs, with what comes before it."""
    slot, data = slot_of(tag), now.data
    if tag == GROUP_LENGTH:
        size, kind = 8, FIXED
    elif not (now.explicit or tag >> 16 == META_GROUP):
        size, kind = _IMPLICIT_HEAD, LONG
    elif data[begin + 4 : begin + 6] in SHORT_VRS:
        size, kind = _EXPLICIT_HEAD, SHORT
    else:
        size, kind = _EXPLICIT_HEAD + 2, LONG
    undefined = kind == LONG and length_of(data, begin + size)[0] == UNDEFINED
    if undefined or (slot is not None and slot.is_sequence):
        size, kind = 0, GENERAL
    run = data[start : begin + size]
    return Step(run, len(run), kind, slot, tag)
