"""What a policy may rule on at all: the column `site` of the tables of attributes and findings."""

from __future__ import annotations

from functools import cache

from deidfhir.model.attributes import attributes
from deidfhir.tables import table

LEAVE, WITHHOLD, REFUSE = "leave", "withhold", "refuse"
_PLACES = ("object", "equipment item")


@cache
def rulable_attributes() -> dict[str, tuple[str, ...]]:
    """Return attribute keyword → what a policy may say of it."""
    return {
        one.keyword: one.site for place in _PLACES for one in attributes(place).values() if one.site
    }


@cache
def rulable_findings() -> dict[str, tuple[str, ...]]:
    """Return finding code → what a policy may say of it."""
    return {
        code: tuple(row["site"]) for code, row in table("findings.toml").items() if "site" in row
    }
