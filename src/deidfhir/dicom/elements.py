"""What every reader delivers: the wanted elements of an object, by keyword, as plain strings."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from deidfhir.errors import SkippableError
from deidfhir.model.record import NO_EVIDENCE, Evidence

Content: TypeAlias = "tuple[str, ...] | tuple[Elements, ...]"
"""Values of an element, or items of a sequence; `()` is present and empty."""

Elements: TypeAlias = "dict[str, Content]"
"""Keyword → content, for the attributes of `mappings/attributes.toml` that are present."""


DEEPEST = 8
"""In so many sequences may a code or a device stand."""

# PS3.5 6.1.2.3: the VRs that (0008,0005) governs, and the VRs that hold one value with backslashes.
CHARSET_VRS = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
SINGLE_VRS = frozenset({"ST", "LT", "UT", "UR"})
ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")  # (FFFE,E000) in both byte orders


class Header(NamedTuple):
    """What was read of one object.

    Args:
        elements: The wanted elements.
        tail_broken: Whether the header is broken after the last marker, so that what stands
            there is not known.
        evidence: What may support the recognition of a tool.
        odd: Codes of what its encoding showed.
    """

    elements: Elements
    tail_broken: bool = False
    evidence: Evidence = NO_EVIDENCE
    odd: tuple[str, ...] = ()


class ObjectSkipped(SkippableError):  # noqa: N818 - a result that reading gives, not a fault
    """One object cannot be used; `code` is a key of `mappings/findings.toml`."""

    def __str__(self) -> str:
        return self.code


def require_depth(depth: int) -> None:
    """Require that sequences are not nested deeper than any code or device is described.

    Raises:
        ObjectSkipped: `damaged`.
    """
    if depth > DEEPEST:
        raise ObjectSkipped("damaged")


def settled(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values, or `()` when the element holds nothing but padding."""
    return values if len(values) > 1 or any(value.strip(" \0") for value in values) else ()
