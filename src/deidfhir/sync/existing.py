"""Studies that someone else owns: linked, enriched, left beside ours, or failed (D21)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from deidfhir.errors import DataError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.comparing import stands
from deidfhir.sync.guarding import is_subsetted, reason_against
from deidfhir.sync.journal import StudyRow
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.standing import How, Mode, Placing, Standing, Traces, version_of, versions_of
from deidfhir.sync.strangers import LookUp
from deidfhir.sync.target import Found, Target
from deidfhir.sync.unit import Refused, Unit, Vanished

FAILED = "failed"


@dataclass(slots=True)
class Existing:
    """Decides, study by study, what becomes of someone else's ImagingStudy.

    Args:
        target: A server or a folder.
        traces: Tells what of ours stands on others' resources.
        mode: What the site wants.
        row_of: Returns what the journal knows of a study.
        report: Counts what was decided, and is told what happened.
    """

    target: Target
    traces: Traces
    mode: Mode
    row_of: Callable[[str], StudyRow | None]
    report: SyncReport
    told: set[str] = field(default_factory=set, init=False)
    """Ids of studies that are planned anew: of them all is told."""

    _look_up: LookUp = field(init=False)

    def __post_init__(self) -> None:
        """Make what looks things up."""
        self._look_up = LookUp(self.target, self.traces, self.mode, self.row_of)

    def unsettled(
        self,
        work: Iterable[Unit | Refused],
        is_settled: Callable[[Unit | Refused], bool],
        settle: Callable[[Unit | Refused], None],
    ) -> Iterator[Unit | Refused]:
        """Yield what is due, by the journal or because others changed what it rests on.

        Args:
            work: The studies of the run.
            is_settled: Whether a study is as the journal has it.
            settle: Called with each study for which nothing is to be done.
        """
        waiting: list[Unit] = []
        for one in work:
            if not is_settled(one) or self._was_decided_otherwise(one):
                yield one
            elif isinstance(one, Unit) and self._asks_others(one):
                waiting.append(one)
                if len(waiting) >= self.target.batch:
                    yield from self._changed(waiting, settle)
                    waiting = []
            else:
                self._settle(one, settle)
        yield from self._changed(waiting, settle)

    def _was_decided_otherwise(self, one: Unit | Refused) -> bool:
        if isinstance(one, Refused) or one.forms is None:
            return False
        standing = self._standing(one)
        if standing is None:  # before anything was decided, all was as in mode `own`
            return self.mode is not Mode.OWN
        return standing.mode is not self.mode

    def _asks_others(self, one: Unit) -> bool:
        """Whether others may have changed what a settled study rests on, without our knowing."""
        # A target that tells of changes was asked for them.
        return self._look_up.is_sought(one) and self.target.stamp() is None

    def _changed(
        self, units: list[Unit], settle: Callable[[Unit | Refused], None]
    ) -> Iterator[Unit]:
        matched = self._look_up.matching(units, brief=True) if units else {}
        for one in units:
            theirs = [each for each in matched[one.id] if each["id"] != one.id]
            if self._is_as_it_was(one, theirs):
                self._settle(one, settle)
            else:
                yield one

    def _is_as_it_was(self, one: Unit, theirs: list[JsonObject]) -> bool:
        standing = self._standing(one)
        if standing is None or standing.how is How.OWNED:
            return not theirs
        met = [(each["id"], version_of(each)) for each in theirs]
        untouched = met == [(standing.id, standing.version)] and bool(standing.version)
        return untouched and bool(one.forms and one.forms.may_touch)

    def _settle(self, one: Unit | Refused, settle: Callable[[Unit | Refused], None]) -> None:
        if isinstance(one, Unit):
            standing = self._standing(one)
            self.report.existing[standing.how if standing else How.OWNED] += 1
        settle(one)

    def _standing(self, one: Unit | Refused) -> Standing | None:
        row = self.row_of(one.id)
        return row.standing if row else None

    def find(self, batch: Sequence[Unit | Refused | Vanished]) -> dict[str, Found]:
        """Return what the target holds of some studies, by the id of our ImagingStudy."""
        return self.finding(batch)()

    def finding(self, batch: Sequence[Unit | Refused | Vanished]) -> Callable[[], dict[str, Found]]:
        """Return what finds, by the id of ours, what the target holds of some studies.

        The journal is looked at now; what is returned asks the target alone.
        """
        return self._look_up.finding(batch)

    def placed(
        self, one: Unit | Refused, found: Found, row: StudyRow | None
    ) -> Unit | Refused | None:
        """Return a study in the form in which it is to be stated; None if it fails.

        Args:
            one: As it came.
            found: What the target holds of it.
            row: What the journal knows of it.
        """
        if isinstance(one, Refused) or one.forms is None:
            return one
        code = self._failure(one, found, row)
        try:
            placed = None if code else self._placed(one, found, row)
        except DataError:
            placed, code = None, "unmappable"
        if placed is not None and placed.placing is not None:
            code = reason_against(placed.placing.studies, found, self.target)
        if placed is not None and placed.placing is not None and not code:
            if one.id not in self.told:
                self._tell(placed, placed.placing.standing, found, row)
            return placed
        trouble = Trouble(code or "existing-marked", one.name)
        if one.id not in self.told or trouble not in self.report.troubles:
            self.report.existing[FAILED] += 1
            self.report.troubles.append(trouble)
        if code == "existing-guarded" and found.study is None:
            # What was stated by theirs while that was allowed must not stand, either.
            return Refused(one.id, one.key, one.instances, decisive=True, name=one.name)
        return None

    def _failure(self, one: Unit, found: Found, row: StudyRow | None) -> str:
        """Return the finding for which a study fails, or an empty text."""
        if not found.theirs:
            return ""
        if self.mode is Mode.FAIL:
            return "existing-fails"
        if len(found.theirs) > 1:
            return "existing-several"
        if self._ours_stays(found, row):
            return ""
        forms = one.forms
        against = {
            "existing-subsetted": is_subsetted(found.theirs[0]),
            "partial-study": forms is not None and forms.is_part,
            "existing-guarded": forms is None or not forms.may_touch,
        }
        return next((code for code, holds in against.items() if holds), "")

    def _ours_stays(self, found: Found, row: StudyRow | None) -> bool:
        """Whether ours was there before theirs: then it goes on, until the mode changes."""
        if found.study is None or "extension" not in found.study:
            return False
        before = row.standing if row else None
        return before is None or (before.how is How.OWNED and before.mode is self.mode)

    def _placed(self, one: Unit, found: Found, row: StudyRow | None) -> Unit | None:
        if not found.theirs or self._ours_stays(found, row):
            return self._by_ours(one, found)
        return self._by(found.theirs[0], one, found)

    def _tell(self, one: Unit, standing: Standing, found: Found, row: StudyRow | None) -> None:
        """Count a study, and say what happened to it."""
        self.report.existing[standing.how] += 1
        if standing.how is How.OWNED and found.theirs:
            self.report.troubles.append(Trouble("existing-later", one.name))
        before = row.standing if row else None
        if before and standing.how is not before.how:
            gone = before.how is not How.OWNED and before.mode is self.mode
            code = "existing-gone" if gone else "existing-moved"
            self.report.notes.append(Trouble(code, one.name))
        if standing.how is How.LINKED and one.forms and one.forms.leaves_out:
            self.report.troubles.append(Trouble("existing-unplaced", one.name))

    def _by_ours(self, one: Unit, found: Found) -> Unit:
        """State a study in our ImagingStudy; what stands on theirs goes."""
        placing = Placing(
            Standing(How.OWNED, self.mode),
            (one.study, *found.stripped),
            versions_of(found.stripped),
        )
        return replace(one, placing=placing, original=one)

    def _by(self, theirs: JsonObject, one: Unit, found: Found) -> Unit | None:
        """State a study by someone else's ImagingStudy; ours goes."""
        if one.forms is None:
            return None
        how = How.ENRICHED if self.mode is Mode.ENRICH else How.LINKED
        studies = [each for each in found.stripped if each["id"] != theirs["id"]]
        if how is How.ENRICHED:
            changed = one.forms.enriched(theirs)
            if changed is None:
                return None
            studies.append(changed)
        else:
            studies += [each for each in found.stripped if each["id"] == theirs["id"]]
        same = all(stands(each, theirs) for each in studies if each["id"] == theirs["id"])
        version = version_of(theirs) if same else ""
        return replace(
            one,
            provenances=one.forms.provenances(theirs, enriched=how is How.ENRICHED),
            # What only ours would refer to.
            shared=tuple(each for each in one.shared if each["resourceType"] == "Device"),
            patients=(),
            placing=Placing(
                Standing(how, self.mode, theirs["id"], version),
                tuple(studies),
                versions_of(studies),
                found.study,
            ),
            original=one,
        )
