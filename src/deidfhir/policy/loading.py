"""A site's policy file → the policy; mistakes are told with file and key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deidfhir.config import read_toml
from deidfhir.errors import UsageError
from deidfhir.policy.policy import Policy, accepted_verdicts, require_rulable
from deidfhir.policy.rulable import (
    LEAVE,
    REFUSE,
    WITHHOLD,
    rulable_attributes,
    rulable_findings,
)

_KEYS = ("name", "accept", "inferred_codes", "agents", "finding", "attribute")


def load_policy(path: str = "") -> Policy:
    """Return the policy of a file, or the default without one.

    Args:
        path: A TOML file; docs/policy.md describes its keys.

    Raises:
        UsageError: `policy-unreadable`, `policy-form` or `policy-entry`.
    """
    if not path:
        return Policy()
    content = read_toml(Path(path), unreadable="policy-unreadable", form="policy-form")
    try:
        return _policy(content, path)
    except _Fault as fault:
        raise UsageError("policy-entry", path=path, key=fault.key, problem=fault.problem) from None


class _Fault(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key)
        self.key, self.problem = key, problem


def _policy(content: Mapping[str, Any], path: str) -> Policy:
    for key in content:
        if key not in _KEYS:
            raise _Fault(key, f"no such key; known: {', '.join(_KEYS)}")
    findings = _words(content, "finding", rulable_findings(), path)
    ruled = _words(content, "attribute", rulable_attributes(), path)
    named = content.get("name", Path(path).stem)
    if not isinstance(named, str) or not named.isprintable() or not named.strip():
        raise _Fault("name", "takes a text of one line")
    try:
        accept = accepted_verdicts(_texts(content, "accept", ["removed"]))
    except UsageError as error:
        raise _Fault("accept", str(error)) from None
    inferred = content.get("inferred_codes", False)
    if not isinstance(inferred, bool):
        raise _Fault("inferred_codes", "takes true or false")
    return Policy(
        name=named,
        accept=accept,
        refuse=_having(findings, REFUSE),
        withhold_texts=_having(findings, WITHHOLD),
        leave=_having(ruled, LEAVE),
        withhold=_having(ruled, WITHHOLD),
        inferred_codes=inferred,
        agents=frozenset(_texts(content, "agents", [])),
    )


def _texts(content: Mapping[str, Any], key: str, otherwise: list[str]) -> list[str]:
    found = content.get(key, otherwise)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _Fault(key, "takes a list of texts")
    return found


def _words(
    content: Mapping[str, Any], key: str, allowed: Mapping[str, tuple[str, ...]], path: str
) -> dict[str, str]:
    """Return name → word of a table, each held against what may be said of the name."""
    found = content.get(key, {})
    if not isinstance(found, dict):
        raise _Fault(key, "takes a table")
    for name, word in found.items():
        require_rulable(path, key, name, word, allowed)
    return found


def _having(words: Mapping[str, str], word: str) -> frozenset[str]:
    return frozenset(name for name, one in words.items() if one == word)
