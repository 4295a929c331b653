"""What a run did, counted; no value of an attribute in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

from deidfhir.errors import DeidFhirError, RetriableError, SkippableError
from deidfhir.tables import table

Outcome = Literal["created", "updated", "unchanged", "deleted", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_ORDER = (2, 1, 5, 3, 0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One study with which something was up.

    Args:
        code: Key of `mappings/findings.toml`.
        name: The input path that names the study.
        detail: HTTP status and server code, or empty.
    """

    code: str
    name: str
    detail: str = ""

    @property
    def counts(self) -> bool:
        """Whether someone should look at it."""
        severity: str = table("findings.toml")[self.code]["severity"]
        return severity != "information"


@dataclass(slots=True)
class SyncReport:
    """The counts of one run.

    Args:
        resources: How many resources were created, updated, unchanged, deleted or failed.
        withdrawn: How many studies' statements were withdrawn.
        vanished: How many studies no source lists any more.
        fates: How many studies were `retired`, `deleted` or `revived`.
        troubles: Studies that were refused, rejected or withdrawn, in order.
        notes: What else there is to say of studies, of which nothing was left out.
        existing: How many studies are stated in ours, by someone else's ImagingStudy (D21), or
            failed for one: `owned`, `linked`, `enriched`, `failed`.
        error: What ended the run before its end, if anything did.
    """

    resources: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    vanished: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[Trouble] = field(default_factory=list)
    existing: Counter[str] = field(default_factory=Counter)
    error: DeidFhirError | None = None

    def count(self, outcome: Outcome, number: int = 1) -> None:
        """Count resources."""
        if number:
            self.resources[outcome] += number

    def count_withdrawal(self, name: str) -> None:
        """Count a study whose statements were withdrawn, and tell of it."""
        self.withdrawn += 1
        self.troubles.append(Trouble("claim-withdrawn", name))

    def count_fate(self, fate: str, name: str) -> None:
        """Count one study that came back or is gone, and tell of one that is gone."""
        if fate:
            self.fates[fate] += 1
        if fate in ("retired", "deleted"):
            self.troubles.append(Trouble("study-vanished", name))

    @property
    def told(self) -> list[Trouble]:
        """All that there is to say of studies."""
        return [*self.troubles, *self.notes]

    @property
    def exit_code(self) -> int:
        """The exit code that this part of a run calls for."""
        later = any(one.code == "server-failed" for one in self.troubles)
        return worst(
            SkippableError.exit_code if any(one.counts for one in self.troubles) else 0,
            RetriableError.exit_code if later else 0,
            self.error.exit_code if self.error else 0,
        )


def worst(*codes: int) -> int:
    """Return the exit code that stands where several apply: 2, 1, 5, 3, 0."""
    return next(code for code in _ORDER if code in codes)
