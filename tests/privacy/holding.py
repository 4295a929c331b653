"""Objects full of canaries, and the holding of outputs against what may leave; all is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from pydicom import Dataset

from tests.privacy.allowed import Place
from tests.synthetic.canaries import Canary, planted, tokens_in
from tests.synthetic.objects import put

COUNT: Final[Counter[str]] = Counter()


@lru_cache(maxsize=8)
def _base(serial: int) -> tuple[Dataset, tuple[Canary, ...]]:
    names = ("PatientIdentityRemoved", "DeidentificationMethod", "BurnedInAnnotation")
    return planted(dict.fromkeys((*names, "DeidentificationMethodCodeSequence")), serial)


def full(markers: dict[str, object], serial: int = 0) -> tuple[Dataset, tuple[Canary, ...]]:
    """Return an object with a canary in every attribute but those that are given.

    Planting takes longer than mapping, so objects of a serial share all but what is given.

    Args:
        markers: Attributes of the root by keyword; None takes one away.
        serial: The number of the object.
    """
    base, canaries = _base(serial)
    kept = tuple(one for one in canaries if one.place != "root" or one.keyword not in markers)
    made = Dataset()
    for element in base:  # a copy by pydicom would share the elements' dictionary
        made.add(element)
    made.file_meta = base.file_meta
    return put(made, **markers), kept


_INDEXES: Final[dict[int, tuple[Sequence[Canary], dict[str, set[Place]]]]] = {}


def _index(canaries: Sequence[Canary]) -> dict[str, set[Place]]:
    """Return needle → places; made once for each sequence, which is kept so that its id stays."""
    if id(canaries) not in _INDEXES:
        index: dict[str, set[Place]] = {}
        for one in canaries:
            for needle in one.needles:
                index.setdefault(needle, set()).add((one.place, one.keyword))
        _INDEXES[id(canaries)] = (canaries, index)
    return _INDEXES[id(canaries)][1]


def hold(canaries: Sequence[Canary], text: str | bytes, allowed: Iterable[Place]) -> None:
    """Assert that of all canaries exactly those that are allowed are in a text."""
    found, may = _counted(canaries, text, allowed)
    left, stayed = sorted(found - may), sorted(may - found)
    assert (left, stayed) == ([], [])


def hold_at_most(canaries: Sequence[Canary], text: str | bytes, allowed: Iterable[Place]) -> None:
    """Assert that of all canaries none but those that are allowed are in a text."""
    found, may = _counted(canaries, text, allowed)
    left = sorted(found - may)
    assert left == []


def _counted(
    canaries: Sequence[Canary], text: str | bytes, allowed: Iterable[Place]
) -> tuple[set[Place], set[Place]]:
    index, may = _index(canaries), set(allowed)
    found = {place for token in tokens_in(text) for place in index.get(token, ())}
    COUNT["outputs"] += 1
    COUNT["planted"] += len(canaries)
    COUNT["found"] += len(found & may)
    COUNT["leaked"] += len(found - may)
    return found, may
