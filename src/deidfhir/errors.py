"""Errors, ordered by what the operator does next.

    DeidFhirError
    ├── UsageError         the command line or a setting is wrong          exit 2
    ├── SkippableError     this one input is left out, the run goes on     exit 3
    ├── DataError          this one study cannot be mapped or is rejected  exit 3
    ├── RetriableError     the target is down or busy: run again later     exit 5
    └── FatalError         the run cannot go on until someone acts         exit 1

Each error carries a code of `mappings/errors.toml`, which holds its one-line text; the text has
no place for a value of an attribute. Nor has what stands behind it: an error of a library may quote
what it was reading, so errors about content are raised after it was let go, not from it.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import ClassVar

from deidfhir.tables import table


class DeidFhirError(Exception):
    """Base of every error that deidfhir raises on purpose.

    Args:
        code: Key of `mappings/errors.toml`.
        **details: Fills the places of the code's text: paths, addresses, numbers, HTTP statuses.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        text: str = table("errors.toml")[self.code]
        return text.format(**self.details)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (type(self), self.code, self.details))


def _rebuilt(kind: type[DeidFhirError], code: str, details: dict[str, object]) -> DeidFhirError:
    return kind(code, **details)


class UsageError(DeidFhirError):
    """The command line or a setting is wrong; nothing was started."""

    exit_code = 2


class SkippableError(DeidFhirError):
    """One input cannot be used; it is left out and reported, and the run goes on."""

    exit_code = 3


class DataError(DeidFhirError):
    """One study cannot be mapped, or the target rejects it for good."""

    exit_code = 3


class RetriableError(DeidFhirError):
    """The target is down, busy or silent; the same run later will do."""

    exit_code = 5


class FatalError(DeidFhirError):
    """The run cannot go on until someone acts."""


def internal(error: Exception) -> FatalError:
    """Return what may be said of an error that nobody foresaw: its kind and its place.

    Args:
        error: The error; what it says may quote what was being read.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return FatalError("internal", kind=type(error).__name__, place=place)
