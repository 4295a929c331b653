"""Whether an attribute leaves, and why: the table's rule, the claims, the site's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from deidfhir.model.attributes import Attribute, attributes
from deidfhir.policy.policy import Policy
from deidfhir.tables import table

_BY_POLICY = "the site's policy"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an object claims, as far as it unlocks anything.

    Args:
        codes: The method codes that count and that some rule knows.
        removed: Whether it states that the identity is removed.
    """

    codes: frozenset[str]
    removed: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether an attribute leaves, and why.

    Args:
        leaves: Whether it does.
        words: Why, or why not, for people.
    """

    leaves: bool
    words: str


@lru_cache(maxsize=4096)
def rulings(within: str, claims: Claims, policy: Policy) -> Mapping[str, Ruling]:
    """Return keyword → ruling for every attribute of a place.

    Args:
        within: `object`, `equipment item`, … (`mappings/attributes.toml`).
        claims: The object's.
        policy: The policy in force.
    """
    rows = attributes(within).values()
    return MappingProxyType({one.keyword: _ruling(one, claims, policy) for one in rows})


def _ruling(attribute: Attribute, claims: Claims, policy: Policy) -> Ruling:
    decided = _by_policy(attribute, policy)
    if decided is not None:
        return decided
    rule = table("attributes.toml")["rule"][attribute.leaves]
    unlocked = (
        attribute.leaves in ("always", "zone")  # a zone goes nowhere without a time that leaves
        or bool(claims.codes & set(rule.get("codes", ())))
        or (attribute.leaves == "identity-removed" and claims.removed)
    )
    words = needed(attribute.leaves)
    wants = not unlocked and ("codes" in rule or attribute.leaves == "identity-removed")
    return Ruling(leaves=unlocked, words=f"needs {words}" if wants else words)


def _by_policy(attribute: Attribute, policy: Policy) -> Ruling | None:
    if attribute.keyword in policy.withhold:
        return Ruling(leaves=False, words=f"withheld by {_BY_POLICY} {policy.name}")
    if attribute.keyword in policy.leave:
        return Ruling(leaves=True, words=f"leaves by {_BY_POLICY} {policy.name}")
    return None


def needed(rule: str) -> str:
    """Return what must be so that an attribute of a rule leaves, for people.

    Args:
        rule: Key of [rule] in `mappings/attributes.toml`.
    """
    words: str = table("attributes.toml")["rule"][rule]["words"]
    return words


@lru_cache(maxsize=1)
def unlocking_codes() -> frozenset[str]:
    """Return the method codes that unlock anything, by any rule."""
    rows = table("attributes.toml")["rule"].values()
    return frozenset(code for row in rows for code in row.get("codes", ()))


def unlocking(rule: str) -> frozenset[str]:
    """Return the method codes any of which lets an attribute of a rule leave.

    Args:
        rule: Key of [rule] in `mappings/attributes.toml`.
    """
    return frozenset(table("attributes.toml")["rule"][rule].get("codes", ()))
