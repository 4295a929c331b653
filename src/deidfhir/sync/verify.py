"""Reading back: is the target what some units state?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from deidfhir.errors import DeidFhirError, SkippableError
from deidfhir.fhir.types import reference
from deidfhir.sync.comparing import comparable
from deidfhir.sync.existing import Existing
from deidfhir.sync.journal import Journal
from deidfhir.sync.merging import Merger, planner_of
from deidfhir.sync.remains import remainders
from deidfhir.sync.report import SyncReport, Trouble, worst
from deidfhir.sync.standing import Mode, Traces
from deidfhir.sync.sweep import Sweep
from deidfhir.sync.target import Found, Target, held_of
from deidfhir.sync.unit import Listed, Refused, Statements, Unit


@dataclass(slots=True)
class VerifyReport:
    """What was found.

    Args:
        ok: References whose resource is as stated.
        missing: References that the target does not have, with the study's name.
        drifted: References that differ, or should not be there, with the study's name.
        vanished: References that still stand although their study has vanished, with its name.
        studies: Ids of the ImagingStudies of all these.
        shared: Ids of what studies share, of all these.
        troubles: Studies that a sync would not state, or not alone, because of someone else's
            ImagingStudy (D21).
        existing: How many studies stand in ours, by theirs, or fail for one.
        error: What ended the run before its end, if anything did.
    """

    ok: int = 0
    missing: list[tuple[str, str]] = field(default_factory=list)
    drifted: list[tuple[str, str]] = field(default_factory=list)
    vanished: list[tuple[str, str]] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)
    existing: Counter[str] = field(default_factory=Counter)
    error: DeidFhirError | None = None

    @property
    def exit_code(self) -> int:
        """The exit code that this part of a run calls for."""
        partial = SkippableError.exit_code if self.differences or self.troubles else 0
        return worst(partial, self.error.exit_code if self.error else 0)

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """Reference, the study's name and state of all that is not as it should be."""
        by_state = {"missing": self.missing, "drifted": self.drifted, "vanished": self.vanished}
        return [(*one, state) for state, found in by_state.items() for one in found]

    def differs(self, state: str, name: str, study: str, path: str = "") -> None:
        """Note one resource that is not as it should be.

        Args:
            state: `missing`, `drifted` or `vanished`.
            name: Its reference.
            study: The id of its study's ImagingStudy.
            path: The study's name, if it has one.
        """
        by_state = {"missing": self.missing, "drifted": self.drifted, "vanished": self.vanished}
        by_state[state].append((name, path))
        self.studies.add(study)


@dataclass(slots=True)
class VerifyJob:
    """Compares a target with some units, `recorded` left out (D15).

    Args:
        target: A server or a folder.
        statements: What must be known of statements.
        traces: Tells what of ours stands on others' resources.
        journal: The target's; nothing is written there.
        sweep: Marks what is listed, to know what has vanished.
        mode: What becomes of someone else's ImagingStudy (D21).
        progress: Called with the number of studies done.
    """

    target: Target
    statements: Statements
    traces: Traces
    journal: Journal
    sweep: Sweep
    mode: Mode = Mode.OWN
    progress: Callable[[int], None] | None = None
    report: VerifyReport = field(default_factory=VerifyReport, init=False)
    _shared: set[str] = field(default_factory=set, init=False)

    def run(self, work: Iterable[Unit | Refused | Listed]) -> VerifyReport:
        """Read and compare; an error that ends the run is in the report."""
        done, seen = 0, SyncReport()
        existing = Existing(self.target, self.traces, self.mode, self.journal.study, seen)
        self.report.troubles, self.report.existing = seen.troubles, seen.existing
        try:
            planner = planner_of(self.journal, self.sweep.listing, self.statements)
            merger = Merger(self.target, self.statements, planner)
            due = self.sweep.marking(work)
            while batch := list(islice(due, self.target.batch)):
                found = existing.find(batch)
                for part in batch:
                    row = self.journal.study(part.id)
                    one = merger.merge(part, found[part.id], row).one
                    placed = existing.placed(one, found[part.id], row)
                    if isinstance(placed, Refused):
                        self._compare_refused(placed, found[part.id])
                    elif placed is not None:
                        self._compare(placed, found[part.id])
                done += len(batch)
                if self.progress:
                    self.progress(done)
            find, size = existing.find, self.target.batch
            for left in remainders(find, size, self.journal, self.statements, self.sweep):
                self.report.differs(left.state, left.name, left.study)
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
            if name in held and comparable(held[name]) == comparable(one):
                self.report.ok += 1
                continue
            self.report.differs("drifted" if name in held else "missing", name, unit.id, unit.name)
            if one in fresh:
                self.report.shared.add(one["id"])
        stated = {one["id"] for one in unit.provenances}
        if unit.placing and unit.placing.dropped:
            name = reference(unit.placing.dropped)
            self.report.differs("drifted", name, unit.id, unit.name)
        self._compare_rest(found, stated, unit)

    def _compare_rest(self, found: Found, stated: set[str], study: Unit | Refused) -> None:
        """Report statements of ours that nothing states any more."""
        for one in found.provenances:
            if one["id"] in stated or self.statements.is_withdrawn(one):
                continue
            if self.statements.is_ours(one, study.key):
                self.report.differs("drifted", reference(one), study.id, study.name)

    def _compare_refused(self, refused: Refused, found: Found) -> None:
        self._compare_rest(found, set(), refused)
        for one in found.stripped:
            self.report.differs("drifted", reference(one), refused.id, refused.name)
        if found.study is None:
            return
        if comparable(self.statements.withdrawn_study(found.study)) != comparable(found.study):
            self.report.differs("drifted", reference(found.study), refused.id, refused.name)
