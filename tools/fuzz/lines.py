"""Which lines of the scan some files reach, told by Python's own tracing."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from deidfhir.dicom import scan
from deidfhir.dicom.scan.slots import meta_slots, root_slots

FOLDER = Path(scan.__file__).parent


@dataclass(slots=True)
class Reached:
    """What was reached.

    Args:
        lines: Name of a module and line.
        steps: Name of a module, line, and the line before it in the same call.
    """

    lines: set[tuple[str, int]] = field(default_factory=set)
    steps: set[tuple[str, int, int]] = field(default_factory=set)


def possible() -> set[tuple[str, int]]:
    """Return all lines within functions of the scan."""
    found: set[tuple[str, int]] = set()
    for path in FOLDER.glob("*.py"):
        for code in _functions(compile(path.read_text(encoding="utf-8"), str(path), "exec")):
            lines = {line for _, _, line in code.co_lines() if line}
            found |= {(path.name, line) for line in lines if line >= _body(code)}
    return found


def _functions(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_flags & inspect.CO_OPTIMIZED:
                yield one
            yield from _functions(one)


def _body(code: CodeType) -> int:
    """Return the first line that runs when a function is called, behind its decorators."""
    lines = [line for _, _, line in code.co_lines() if line and line > code.co_firstlineno]
    return min(lines, default=code.co_firstlineno)


def reached(files: Iterable[bytes], read: Callable[[bytes], object]) -> Reached:
    """Return what the scan reaches when files are read.

    Args:
        files: The files.
        read: Reads one.
    """
    found = Reached()

    def called(frame: FrameType, _event: str, _given: Any) -> Any:  # noqa: ANN401 - as Python has it
        path = Path(frame.f_code.co_filename)
        return _follower(path.name, found) if path.parent == FOLDER else None

    root_slots.cache_clear()  # what is made once a process is made again
    meta_slots.cache_clear()
    before = sys.gettrace()
    sys.settrace(called)
    try:
        for data in files:
            read(data)
    finally:
        sys.settrace(before)
    return found


def _follower(name: str, found: Reached) -> Callable[..., Any]:
    last = 0

    def followed(frame: FrameType, event: str, _given: Any) -> Any:  # noqa: ANN401 - as above
        nonlocal last
        if event == "line":
            found.lines.add((name, frame.f_lineno))
            found.steps.add((name, last, frame.f_lineno))
            last = frame.f_lineno
        return followed

    return followed
