"""Typed view of `mappings/attributes.toml`: every attribute that is read, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from deidfhir.tables import table


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table.

    Args:
        tag: Group and element as one number.
        keyword: PS3.6 keyword.
        vr: PS3.6 Value Representation.
        section: Section of PS3.3 that defines it where it stands.
        leaves: The rule by which it leaves; the table's head lists the rules.
        to: FHIR element, or the name of the extension's slot.
        also: Further FHIR elements that it goes to.
        items: For a sequence, where its items' attributes stand; empty if only presence is read.
        fact: The field of Instance that holds it, for an attribute that is no marker.
        site: What the policy of a site may say of it: `leave`, `withhold`.
    """

    tag: int
    keyword: str
    vr: str
    section: str
    leaves: str
    to: str
    also: tuple[str, ...]
    items: str
    fact: str = ""
    site: tuple[str, ...] = ()

    @property
    def slot(self) -> str:
        """The name of the slot in the markers extension."""
        return self.to.removeprefix("markers:")

    @property
    def is_marker(self) -> bool:
        """Whether the attribute goes into the markers extension verbatim."""
        return self.to.startswith("markers:")

    @property
    def label(self) -> str:
        """The tag as the standard prints it, such as (0012,0062)."""
        return f"({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})"


@cache
def attributes(within: str) -> dict[int, Attribute]:
    """Return the attributes of one place, by tag, in tag order.

    Args:
        within: `object`, `code item`, `equipment item`, `udi item` or `scheme item`.
    """
    rows = (row for row in table("attributes.toml")["attribute"] if row["within"] == within)
    found = (
        Attribute(
            tag=int(row["tag"], 16),
            keyword=row["keyword"],
            vr=row["vr"],
            section=row["section"],
            leaves=row["leaves"],
            to=row["to"],
            also=tuple(row.get("also", ())),
            items=row.get("items", ""),
            fact=row.get("fact", ""),
            site=tuple(row.get("site", ())),
        )
        for row in rows
    )
    return {one.tag: one for one in sorted(found, key=lambda one: one.tag)}


@cache
def by_keyword(within: str) -> dict[str, Attribute]:
    """Return the attributes of one place by keyword."""
    return {one.keyword: one for one in attributes(within).values()}


@lru_cache(maxsize=1)
def last_tag() -> int:
    """Return the highest tag of the root data set that is read; nothing after it is needed."""
    return max(attributes("object"))


@lru_cache(maxsize=1)
def last_marker_tag() -> int:
    """Return the highest tag of the markers."""
    return max(one.tag for one in attributes("object").values() if one.is_marker)
