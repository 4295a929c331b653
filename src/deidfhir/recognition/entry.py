"""One tool's entry, checked when it is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KINDS = ("tool", "wording")
_GROUPS = frozenset({"version", "codes", "date", "edition"})
EVIDENCE = (
    "implementation_class_uid",
    "implementation_version_name",
    "source_application_entity_title",
    "private_creator",
    "coding_scheme",
)
"""Keys of an entry that say what else in an object speaks for the tool."""
_ENTRY_KEYS = frozenset({"kind", "name", "manufacturer", "source", "rule", *EVIDENCE})
_RULE_KEYS = frozenset({"id", "texts", "pattern", "then", "least"})


class EntryFault(Exception):  # noqa: N818 - becomes a UsageError that names the file
    """Something in an entry is not as it must be.

    Args:
        key: The key at fault.
        problem: What is wrong with it.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key, problem)
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Rule:
    """One wording of a tool.

    Args:
        id: Entry id and the rule's own, such as `orthanc.edition`.
        first: What a value must be as a whole; its named groups give what is inferred.
        then: What the values that follow must be to belong to the same event, or None.
        least: How many values the event has at least.
    """

    id: str
    first: re.Pattern[str]
    then: re.Pattern[str] | None
    least: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool, or one wording that names no tool.

    Args:
        id: The entry's id.
        is_tool: Whether it names a tool.
        name: The tool's name; empty for a wording.
        manufacturer: Who makes it; possibly empty.
        source: Where its wordings were seen.
        rules: Its wordings.
        evidence: Kind of evidence → what speaks for the tool.
    """

    id: str
    is_tool: bool
    name: str
    manufacturer: str
    source: tuple[str, ...]
    rules: tuple[Rule, ...]
    evidence: tuple[tuple[str, re.Pattern[str]], ...]


def entry_of(name: str, rows: object) -> Entry:
    """Return the entry that a table of a TOML file holds.

    Args:
        name: The table's name, the entry's id.
        rows: The table's content.

    Raises:
        EntryFault: It names the key at fault.
    """
    if not _ID.fullmatch(name):
        raise EntryFault(name, "an entry's id is lower-case words joined by hyphens")
    if not isinstance(rows, dict):
        raise EntryFault(name, "must be a table")
    _require_known(rows, _ENTRY_KEYS)
    kind = rows.get("kind", "tool")
    if kind not in _KINDS:
        raise EntryFault("kind", "must be tool or wording")
    is_tool = kind == "tool"
    if not is_tool and ("name" in rows or "manufacturer" in rows):
        raise EntryFault("name", "a wording names no tool")
    return Entry(
        id=name,
        is_tool=is_tool,
        name=_text(rows, "name") if is_tool else "",
        manufacturer=_text(rows, "manufacturer") if "manufacturer" in rows else "",
        source=_texts(rows, "source"),
        rules=_rules(name, rows.get("rule")),
        evidence=tuple((key, _pattern(rows, key)) for key in EVIDENCE if key in rows),
    )


def _rules(name: str, rows: object) -> tuple[Rule, ...]:
    if not isinstance(rows, list) or not rows:
        raise EntryFault("rule", "must be given at least once, as [[NAME.rule]]")
    rules = [_rule(name, row) for row in rows]
    if len({one.id for one in rules}) < len(rules):
        raise EntryFault("rule.id", "must differ from rule to rule")
    return tuple(rules)


def _rule(name: str, row: object) -> Rule:
    if not isinstance(row, dict):
        raise EntryFault("rule", "must be a table")
    _require_known(row, _RULE_KEYS, "rule.")
    own = _text(row, "id", "rule.")
    if not _ID.fullmatch(own):
        raise EntryFault("rule.id", "must be lower-case words joined by hyphens")
    if ("texts" in row) == ("pattern" in row):
        raise EntryFault("rule.texts", "give either texts or pattern")
    if "texts" in row:
        first = re.compile("|".join(re.escape(one) for one in _texts(row, "texts", "rule.")))
    else:
        first = _pattern(row, "pattern", "rule.")
    least = row.get("least", 1)
    if not isinstance(least, int) or isinstance(least, bool) or not 1 <= least <= 100:
        raise EntryFault("rule.least", "must be a number from 1 to 100")
    then = _pattern(row, "then", "rule.") if "then" in row else None
    if then is None and least > 1:
        raise EntryFault("rule.least", "needs then")
    return Rule(f"{name}.{own}", first, then, least)


def _require_known(rows: dict[str, object], known: frozenset[str], before: str = "") -> None:
    for key in rows:
        if key not in known:
            raise EntryFault(f"{before}{key}", f"is not known; known: {', '.join(sorted(known))}")


def _text(rows: dict[str, object], key: str, before: str = "") -> str:
    value = rows.get(key)
    if not isinstance(value, str) or not value.strip():
        raise EntryFault(f"{before}{key}", "must be a text" if key in rows else "is missing")
    return value


def _texts(rows: dict[str, object], key: str, before: str = "") -> tuple[str, ...]:
    value = rows.get(key)
    if not isinstance(value, list) or not value:
        raise EntryFault(
            f"{before}{key}", "must be a list of texts" if key in rows else "is missing"
        )
    if not all(isinstance(one, str) and one.strip() for one in value):
        raise EntryFault(f"{before}{key}", "must hold texts only")
    return tuple(value)


def _pattern(rows: dict[str, object], key: str, before: str = "") -> re.Pattern[str]:
    given = _texts(rows, key, before) if isinstance(rows.get(key), list) else ()
    text = "|".join(f"(?:{one})" for one in given) or _text(rows, key, before)
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise EntryFault(f"{before}{key}", "is no regular expression") from error
    unknown = set(pattern.groupindex) - _GROUPS
    if unknown:
        raise EntryFault(
            f"{before}{key}",
            f"has a group {min(unknown)}; known groups: {', '.join(sorted(_GROUPS))}",
        )
    if pattern.fullmatch(""):
        raise EntryFault(f"{before}{key}", "matches the empty text")
    return pattern
