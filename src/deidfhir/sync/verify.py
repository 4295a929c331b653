"""Reading back: is the target what some units state?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from deidfhir.errors import DeidFhirError, SkippableError
from deidfhir.fhir.types import reference
from deidfhir.sync.report import worst
from deidfhir.sync.target import Found, Target, comparable, held_of
from deidfhir.sync.unit import Listed, Refused, Statements, Unit


@dataclass(slots=True)
class VerifyReport:
    """What was found.

    Args:
        ok: References whose resource is as stated.
        missing: References that the target does not have, with the study's name.
        drifted: References that differ, or should not be there, with the study's name.
        error: What ended the run before its end, if anything did.
    """

    ok: int = 0
    missing: list[tuple[str, str]] = field(default_factory=list)
    drifted: list[tuple[str, str]] = field(default_factory=list)
    error: DeidFhirError | None = None

    @property
    def exit_code(self) -> int:
        """The exit code that this part of a run calls for."""
        partial = SkippableError.exit_code if self.missing or self.drifted else 0
        return worst(partial, self.error.exit_code if self.error else 0)


@dataclass(slots=True)
class VerifyJob:
    """Compares a target with some units, `recorded` left out (D15).

    Args:
        target: A server or a folder.
        statements: What must be known of statements.
        progress: Called with the number of studies done.
    """

    target: Target
    statements: Statements
    progress: Callable[[int], None] | None = None
    report: VerifyReport = field(default_factory=VerifyReport, init=False)
    _shared: set[str] = field(default_factory=set, init=False)

    def run(self, work: Iterable[Unit | Refused | Listed]) -> VerifyReport:
        """Read and compare; an error that ends the run is in the report."""
        done = 0
        try:
            due = (one for one in work if not isinstance(one, Listed))
            while batch := list(islice(due, self.target.batch)):
                found = self.target.find(one.id for one in batch)
                for one in batch:
                    if isinstance(one, Refused):
                        self._compare_refused(one, found[one.id])
                    else:
                        self._compare(one, found[one.id])
                done += len(batch)
                if self.progress:
                    self.progress(done)
        except DeidFhirError as error:
            self.report.error = error
        return self.report

    def _compare(self, unit: Unit, found: Found) -> None:
        held = found.by_reference()
        fresh = [one for one in unit.shared if one["id"] not in self._shared]
        held.update(held_of(self.target, (*fresh, *unit.patients)))
        self._shared.update(one["id"] for one in fresh)
        for one in (*fresh, *unit.own):
            name = reference(one)
            if name not in held:
                self.report.missing.append((name, unit.name))
            elif comparable(held[name]) != comparable(one):
                self.report.drifted.append((name, unit.name))
            else:
                self.report.ok += 1
        stated = {one["id"] for one in unit.provenances}
        self._compare_rest(found, stated, unit.name, unit.key)

    def _compare_rest(self, found: Found, stated: set[str], name: str, key: str) -> None:
        """Report statements of ours that nothing states any more."""
        for one in found.provenances:
            if one["id"] in stated or self.statements.is_withdrawn(one):
                continue
            if self.statements.is_ours(one, key):
                self.report.drifted.append((reference(one), name))

    def _compare_refused(self, refused: Refused, found: Found) -> None:
        self._compare_rest(found, set(), refused.name, refused.key)
        if found.study is None:
            return
        if comparable(self.statements.withdrawn_study(found.study)) != comparable(found.study):
            self.report.drifted.append((reference(found.study), refused.name))
