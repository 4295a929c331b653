"""The policy of a site: what it loosens or tightens per verdict, per finding and per attribute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from deidfhir.config import Settings
from deidfhir.errors import UsageError
from deidfhir.model.verdict import Verdict
from deidfhir.policy.rulable import (
    LEAVE,
    REFUSE,
    WITHHOLD,
    rulable_attributes,
    rulable_findings,
)

DEFAULT_ACCEPT = frozenset({Verdict.REMOVED})
BESIDE = ("subject", "label", "ids")
"""Settings that decide what leaves, too; reports name them with the policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force (D3 to D7); without arguments the default, which loosens nothing.

    Args:
        name: How reports name it.
        accept: The verdicts of studies that may pass the gate (D3).
        refuse: Codes of findings that refuse a study.
        withhold_texts: Codes of findings about method texts: such texts are withheld (D7).
        leave: Keywords of attributes that leave whatever the object claims (D5).
        withhold: Keywords of attributes that stay whatever the object claims.
        inferred_codes: Whether codes that are only inferred from text unlock, too (D5).
        agents: Ids of tools that become the agent where no equipment is recorded (D16).

    Raises:
        UsageError: `policy-entry`, it rules on what no policy rules on.
    """

    name: str = "default"
    accept: frozenset[Verdict] = DEFAULT_ACCEPT
    refuse: frozenset[str] = frozenset()
    withhold_texts: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    withhold: frozenset[str] = frozenset()
    inferred_codes: bool = False
    agents: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what decisions settle, and names that are none: they would rule on nothing."""
        for key, names, word, known in (
            ("attribute", self.leave, LEAVE, rulable_attributes()),
            ("attribute", self.withhold, WITHHOLD, rulable_attributes()),
            ("finding", self.refuse, REFUSE, rulable_findings()),
            ("finding", self.withhold_texts, WITHHOLD, rulable_findings()),
        ):
            for name in sorted(names):
                require_rulable(self.name, key, name, word, known)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change when anything but the name does."""
        text = json.dumps(self._content(), sort_keys=True)
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def leaving_digest(self) -> str:
        """Four hexadecimal digits that change with what it says of what leaves."""
        content = {**self._content(), "accept": (), "agents": ()}
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:4]

    @property
    def withholds_texts(self) -> bool:
        """Whether it withholds any method text."""
        return bool(self.withhold_texts) or "DeidentificationMethod" in self.withhold

    def as_dict(self) -> dict[str, Any]:
        """Return the policy for `--json`."""
        return {"name": self.name, "digest": self.digest, **self._content()}

    def _content(self) -> dict[str, Any]:
        def words(**groups: frozenset[str]) -> dict[str, str]:
            pairs = [(one, word) for word, group in groups.items() for one in group]
            return dict(sorted(pairs))

        return {
            "accept": sorted(one.value for one in self.accept),
            "finding": words(refuse=self.refuse, withhold=self.withhold_texts),
            "attribute": words(leave=self.leave, withhold=self.withhold),
            "inferred_codes": self.inferred_codes,
            "agents": sorted(self.agents),
        }


def require_rulable(
    path: str, key: str, name: str, word: object, known: Mapping[str, tuple[str, ...]]
) -> None:
    """Require that a policy may say a word of a name.

    Args:
        path: The policy's file, or its name.
        key: `attribute` or `finding`.
        name: Keyword of an attribute, or code of a finding.
        word: What the policy says of it.
        known: Name → the words that may be said of it.

    Raises:
        UsageError: `policy-entry`.
    """
    problem = ""
    if name not in known:
        problem = f"no policy rules on it; known: {', '.join(known)}"
    elif word not in known[name]:
        problem = f"takes {' or '.join(known[name])}"
    if problem:
        raise UsageError("policy-entry", path=path, key=f"{key}.{name}", problem=problem)


def policy_line(content: dict[str, Any]) -> str:
    """Return the one line that names a policy in a report.

    Args:
        content: As `Policy.as_dict` gives it, with the settings beside it if they count.
    """
    parts = [f"accept {', '.join(content['accept']) or 'nothing'}"]
    for key in ("finding", "attribute"):
        parts += [f"{name} {word}" for name, word in content[key].items()]
    if content["inferred_codes"]:
        parts.append("inferred codes unlock")
    parts += [f"agent {one}" for one in content["agents"]]
    beside = ((key, content.get(key), getattr(Settings(), key)) for key in BESIDE)
    parts += [f"{key} {word}" for key, word, usual in beside if word not in (None, usual)]
    return f"{content['name']} ({content['digest']}): {'; '.join(parts)}"


def accepted_verdicts(words: Iterable[str]) -> frozenset[Verdict]:
    """Return the verdicts of some words, of which `all` stands for every one.

    Args:
        words: Such as the parts of `--accept`.

    Raises:
        UsageError: `accept-unknown`.
    """
    accepted: set[Verdict] = set()
    for word in words:
        if word == "all":
            accepted.update(Verdict)
        elif word in {verdict.value for verdict in Verdict}:
            accepted.add(Verdict(word))
        else:
            raise UsageError("accept-unknown", word=word)
    return frozenset(accepted)
