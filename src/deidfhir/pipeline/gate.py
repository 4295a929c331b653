"""The gate: which studies may be mapped at all (D3)."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.errors import UsageError
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict

DEFAULT_ACCEPT = frozenset({Verdict.REMOVED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A study that is not mapped.

    Args:
        path: Its first input path; its identifiers do not show (D3).
        verdict: Its verdict.
        reasons: Codes of the verdict's reasons.
        finding: Why it is refused.
        detail: The elements at fault, or empty.
    """

    path: str
    verdict: Verdict
    reasons: tuple[str, ...]
    finding: Finding
    detail: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the refusal for `--json`."""
        return {
            "path": self.path,
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "finding": self.finding.as_dict(),
            "detail": self.detail,
        }


def parse_accept(words: str) -> frozenset[Verdict]:
    """Return the verdicts of `--accept`.

    Args:
        words: Comma-separated verdicts, or `all`.

    Raises:
        UsageError: `accept-unknown`.
    """
    accepted: set[Verdict] = set()
    for word in (part.strip() for part in words.split(",")):
        if word == "all":
            accepted.update(Verdict)
        elif word in {verdict.value for verdict in Verdict}:
            accepted.add(Verdict(word))
        else:
            raise UsageError("accept-unknown", word=word)
    return frozenset(accepted)


def refusal_of(study: Study, accept: frozenset[Verdict]) -> Refusal | None:
    """Return why a study is refused, or None if it may be mapped."""
    if study.conflicting:
        return refusal(study, "duplicate-instance-differs")
    if study.verdict not in accept:
        return refusal(study, "not-accepted")
    return None


def refusal(study: Study, code: str) -> Refusal:
    """Return the refusal of a study for a finding's reason."""
    return Refusal(study.path, study.verdict, study.reasons, Finding(code, study.path))
