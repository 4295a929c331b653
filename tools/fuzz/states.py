"""What the scan remembers from file to file, taken away and given back at will."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from deidfhir.dicom.elements import Content
from deidfhir.dicom.scan import header, prefix, root, slots, support
from deidfhir.dicom.scan.memory import Memory, Read
from deidfhir.dicom.scan.slots import Slot

STEPS, INFLATED = (prefix._FIRST, *prefix._MORE), header._INFLATED[-1]
_FEW = 8
"""So many values are remembered, not hundreds: a run must see how they are forgotten."""


class Counted(Memory):
    """A memory that tells how often it was asked in vain, and how often it was not."""

    __slots__ = ("hits",)

    def __init__(self) -> None:
        super().__init__()
        self.hits = 0

    def read(self, data: bytes) -> Read | None:
        """Read as a memory does, and count."""
        found = super().read(data)
        self.hits += found is not None
        return found


class State:
    """All that the scan remembers; new, it remembers nothing.

    Args:
        few: Whether it forgets soon.
    """

    def __init__(self, *, few: bool = False) -> None:
        self.memory = Counted()
        self._last: dict[Any, Any] = {}
        self._size = _FEW if few else _MANY
        self._sequences = lru_cache(self._size)(_SEQUENCE_OF)
        self._evidence = lru_cache(self._size)(_EVIDENCE)
        every = (*slots.root_slots().values(), *slots.meta_slots().values())
        self._values: list[tuple[Slot, dict[bytes, Content]]] = [(one, {}) for one in every]

    def enter(self, steps: tuple[int, ...] = STEPS) -> None:
        """Let the scan remember this.

        Args:
            steps: How many bytes it reads at first, and when they are too few.
        """
        modules: Any = (header, root, slots, prefix, support)
        _header, _root, _slots, _prefix, _support = modules
        _header._MEMORY, _support._evidence = self.memory, self._evidence
        _root._LAST, _root._sequence_of = self._last, self._sequences
        _root._REMEMBERED = _slots._REMEMBERED = self._size
        _prefix._FIRST, *_prefix._MORE = steps
        for slot, values in self._values:
            slot._values = values


_MANY = slots._REMEMBERED
_SEQUENCE_OF = root._sequence_of.__wrapped__
_EVIDENCE = support._evidence.__wrapped__
_FIRST = (header._MEMORY, support._evidence, root._LAST, root._sequence_of)


def leave() -> None:
    """Give back what the scan remembered at first."""
    modules: Any = (header, root, support)
    _header, _root, _support = modules
    State().enter()
    _header._MEMORY, _support._evidence, _root._LAST, _root._sequence_of = _FIRST
