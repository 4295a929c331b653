"""Why a server refuses, as far as it may be repeated: codes and paths of elements, no text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table
from deidfhir.web.outcome import objects

_SEVERITIES = ("fatal", "error", "warning", "information")
_REFUSING = _SEVERITIES[:2]
_MOST = 8
"""So many issues are kept of one answer, and so many codes and elements of one issue."""

_HAPI = re.compile(r"HAPI-\d{4}")
_STEP = re.compile(r"([A-Za-z]+)(?:\[\d{1,6}\])?|ofType\(([A-Za-z]+)\)")
_NAMED = re.compile(r'\[element="([A-Za-z]+)"\]|in path: ([A-Za-z]+(?:\.[A-Za-z]+\b(?!\())*)')
"""How HAPI names elements in its diagnostics."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome.

    Args:
        severity: `fatal` or `error`.
        code: Issue type of FHIR, or empty.
        codes: The server's own codes, and keys of constraints that do not hold.
        elements: Paths of the elements that it is about.
    """

    severity: str
    code: str
    codes: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as an object for the journal and for programs."""
        told = asdict(self)
        return {**told, "codes": list(self.codes), "elements": list(self.elements)}

    def __str__(self) -> str:
        words = " ".join(one for one in (self.severity, self.code, *self.codes) if one)
        return words + (f" at {', '.join(self.elements)}" if self.elements else "")


def issues_of(body: JsonObject | None) -> tuple[Issue, ...]:
    """Return what an OperationOutcome says against the request, each once, without its text.

    Args:
        body: What the server answered.
    """
    found: dict[Issue, None] = {}
    for one in objects((body or {}).get("issue")):
        if one.get("severity") in _REFUSING:
            found[_issue(one)] = None
    return tuple(found)[:_MOST]


def issue_from(stored: JsonObject) -> Issue:
    """Return an issue as `as_dict` gave it."""
    return Issue(
        stored["severity"], stored["code"], tuple(stored["codes"]), tuple(stored["elements"])
    )


def _issue(one: JsonObject) -> Issue:
    code = one.get("code")
    text = str(one.get("diagnostics", ""))
    details = objects([one.get("details")])
    codings = [each for detail in details for each in objects(detail.get("coding"))]
    codes = [*_HAPI.findall(text), *filter(None, (_code(each.get("code")) for each in codings))]
    named = [first or second for first, second in _NAMED.findall(text)]
    paths = [*_texts(one.get("expression")), *_texts(one.get("location")), *named]
    return Issue(
        one["severity"],
        str(code) if code in table("server-codes.toml")["issue_type"] else "",
        _few(codes),
        _few(each for each in paths if _is_path(each)),
    )


def _few(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))[:_MOST]


def _texts(listed: object) -> list[str]:
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _code(code: object) -> str:
    """Return a code that is known by its form, of a constraint its key, or an empty text."""
    if not isinstance(code, str):
        return ""
    known = table("server-codes.toml")
    key = code.rpartition("#")[2]
    if re.fullmatch(known["constraint"], key) or key in _our_constraints():
        return key
    return code if any(re.fullmatch(each, code) for each in known["detail"]) else ""


@cache
def _our_constraints() -> frozenset[str]:
    profiles = table("package/profiles.toml")["profile"]
    return frozenset(one["key"] for each in profiles for one in each["invariants"])


def _is_path(text: str) -> bool:
    """Whether a text is a path of elements that we send, and nothing but that."""
    steps = [_STEP.fullmatch(one) for one in text.split(".")]
    known = table("server-codes.toml")["element"]
    return all(step and _word(step) in known for step in steps)


def _word(step: re.Match[str]) -> str:
    # `value.ofType(string)` is the element valueString.
    name, kind = step.groups()
    return f"value{kind[0].upper()}{kind[1:]}" if kind else str(name)
