"""What every reader delivers: the wanted elements of an object, by keyword, as plain strings."""

from __future__ import annotations

from typing import TypeAlias

from deidfhir.errors import SkippableError

Content: TypeAlias = "tuple[str, ...] | tuple[Elements, ...]"
"""Values of an element, or items of a sequence; `()` is present and empty."""

Elements: TypeAlias = "dict[str, Content]"
"""Keyword → content, for the attributes of `mappings/attributes.toml` that are present."""


_DEEPEST = 8


class ObjectSkipped(SkippableError):  # noqa: N818 - a result that reading gives, not a fault
    """One object cannot be used; `code` is a key of `mappings/findings.toml`."""

    def __str__(self) -> str:
        return self.code


def require_depth(depth: int) -> None:
    """Require that sequences are not nested deeper than any code or device is described.

    Raises:
        ObjectSkipped: `damaged`.
    """
    if depth > _DEEPEST:
        raise ObjectSkipped("damaged")


def settled(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values, or `()` when the element holds nothing but padding."""
    return values if len(values) > 1 or any(value.strip(" \0") for value in values) else ()
