"""Studies → the work of a run: mapped and checked, or refused at the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256

from deidfhir.errors import DataError
from deidfhir.fhir.check import check
from deidfhir.fhir.outcome import operation_outcome
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.mapping.leaving import LeavingStudy, leaving_study
from deidfhir.mapping.study import MappedStudy
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, Markers
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.foreign import StudyForms
from deidfhir.pipeline.gate import WITHDRAWING, Refusal, admitted, refusal
from deidfhir.pipeline.inferences import unrecognised_in
from deidfhir.pipeline.sources import Reading
from deidfhir.pipeline.told import Told
from deidfhir.policy.policy import Policy
from deidfhir.sync.settled import Settled
from deidfhir.sync.unit import Listed, Refused, Unit

_REMEMBERED = 256


@dataclass
class Work:
    """The studies of a reading, on their way to a target.

    Args:
        reading: What was read.
        context: The mapping's; its policy says what may pass (D3).
        remembers: Whether what is told of each study is kept, for the next run.
    """

    reading: Reading
    context: MappingContext
    studies: int = field(default=0, init=False)
    verdicts: Counter[str] = field(default_factory=Counter, init=False)
    refusals: list[Refusal] = field(default_factory=list, init=False)
    findings: list[Finding] = field(default_factory=list, init=False)
    tools: Counter[str] = field(default_factory=Counter, init=False)
    unrecognised: int = field(default=0, init=False)
    passed_over: int = field(default=0, init=False)
    remembers: bool = False
    told: dict[str, Told] = field(default_factory=dict, init=False)
    _refused: dict[str, Refusal] = field(default_factory=dict, init=False)
    _checked: set[str] = field(default_factory=set, init=False)
    _leaving: LeavingStudy = field(init=False)

    def mapped(self) -> Iterator[tuple[Study, MappedStudy | None]]:
        """Yield every study, mapped and checked, or with None where it is refused."""
        for study in self.reading.studies:
            self.studies += 1
            self.verdicts[study.verdict.value] += 1
            found = findings_of(study)
            self.findings += found
            one, refused = admitted(study, self.context, found)
            self._leaving = one.leaving if one else leaving_study(study, self.context)[0]
            tools, unrecognised = self._recognised()
            self.tools.update(tools)
            self.unrecognised += unrecognised
            if one is not None:
                self.findings += one.findings
                refused = refused or self._unmappable(study, one)
            if refused is not None:
                self.refusals.append(refused)
                self._refused[study.uid] = refused
            if self.remembers:
                self._remember(study, (*found, *(one.findings if one else ())), refused)
            yield study, None if refused else one

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.context.in_force

    def outcome(self, further: Iterable[Finding] = ()) -> JsonObject:
        """Return every finding of the run as an OperationOutcome.

        Args:
            further: Findings of the target.
        """
        refused = [one.finding for one in self.refusals]
        every = [*self.reading.skipped, *refused, *self.findings, *further]
        return operation_outcome(every, self.context.settings.canonical)

    def _recognised(self) -> tuple[set[str], int]:
        """Return the recognised tools of a study, and of how many texts no entry knows."""
        tools: set[str] = set()
        texts: set[str] = set()
        for one in self._leaving.facts:
            tools.update(found.tool for found in recognised_in(one, self.context).inferences)
            texts.update(unrecognised_in(one, self.context))
        return tools - {""}, len(texts)

    def _remember(
        self, study: Study, findings: tuple[Finding, ...], refused: Refusal | None
    ) -> None:
        tools, unrecognised = self._recognised()
        told = Told(study.verdict, findings, tuple(sorted(tools)), unrecognised, refused)
        self.told[self.context.namer.imaging_study(study.uid)] = told

    def _settled(self) -> Iterator[Settled]:
        """Yield the studies that were not read, and tell again what is told of them."""
        for one, told in self.reading.settled:
            self.studies += 1
            self.verdicts[told.verdict.value] += 1
            self.findings += told.findings
            self.tools.update(told.tools)
            self.unrecognised += told.unrecognised
            if told.refusal is not None:
                self.refusals.append(told.refusal)
            yield one

    def units(self) -> Iterator[Unit | Refused | Listed | Settled]:
        """Yield the work of a sync job."""
        yield from self._settled()
        yield from self.read_units()

    def read_units(self) -> Iterator[Unit | Refused | Listed]:
        """Yield the work of a verification: of studies that were read."""
        for study, one in self.mapped():
            if one is not None:
                yield Unit(
                    one.imaging_study,
                    one.provenances,
                    one.shared,
                    study.uid,
                    self._claims(),
                    study.path,
                    one.patients,
                    self._files(study),
                    StudyForms(study, one.imaging_study, self.context),
                )
            elif self.refusals[-1].finding.code not in WITHDRAWING:
                # A study that is refused for another reason is not known to be wrong with what
                # was stated of it before: that stays.
                self.passed_over += 1
                yield Listed(self.context.namer.imaging_study(study.uid))
            else:
                yield Refused(
                    self.context.namer.imaging_study(study.uid),
                    study.uid,
                    self._claims(),
                    self._is_decisive(self.refusals[-1]),
                    study.path,
                    self._files(study),
                )

    def merged(self, one: Unit | Refused, held: tuple[Instance, ...]) -> Unit | Refused | None:
        """Return a study of this run with instances that an earlier run read, as the gate says.

        Args:
            one: What was read of it.
            held: Further instances of it, as they left.
        """
        study = self.reading.fold.study(one.key)
        made, refused = admitted(study, self.context, findings_of(study), held)
        if made is not None:
            refused = refused or self._unmappable(study, made)
        self._decide(study, made, refused)
        if refused is None and made is not None:
            own = (made.imaging_study, made.provenances, made.shared, one.key)
            forms = StudyForms(study, made.imaging_study, self.context, is_part=True)
            return Unit(*own, one.instances, one.name, made.patients, one.files, forms)
        if refused is not None and refused.finding.code in WITHDRAWING:
            identity = self.context.namer.imaging_study(one.key)
            return Refused(
                identity, one.key, one.instances, decisive=True, name=one.name, files=one.files
            )
        return None

    def _decide(self, study: Study, made: MappedStudy | None, refused: Refusal | None) -> None:
        """Let what is decided of the whole stand in place of what was decided of the part."""
        before = self._refused.pop(study.uid, None)
        if before is not None:
            self.refusals.remove(before)
        if refused is not None:
            self.refusals.append(refused)
            self._refused[study.uid] = refused
        fresh = made.findings if made else ()
        self.findings += [one for one in fresh if one not in self.findings]

    def _is_decisive(self, refused: Refusal) -> bool:
        """Whether no instance that was not read could make the study acceptable."""
        return refused.finding.code != "not-accepted" or Verdict.MIXED not in self.policy.accept

    def _files(self, study: Study) -> dict[str, str]:
        """Return instance UID → what stands for its file, and for what let it leave."""
        decided = f".{self._decided}"
        return {one.sop_instance_uid: one.file + decided for one in study.instances if one.file}

    @cached_property
    def _by_policy(self) -> str:
        return self.policy.leaving_digest

    @cached_property
    def _decided(self) -> str:
        return sha256(repr(sorted(self.context.decided().items())).encode()).hexdigest()[:6]

    def _claims(self) -> dict[str, str]:
        """Return instance UID → digest of the instance's markers (D19: copies must agree in them).

        Of the markers as far as they leave: a digest of what is withheld could be found out by
        trying. Digests of different policies say nothing of each other, and tell their policy.
        """
        leaving, policy = self._leaving, self._by_policy
        claims = {id(one): f"{policy}:{_digest(one.markers)}" for one in leaving.facts}
        return {one.sop_instance_uid: claims[id(one.facts)] for one in leaving.instances}

    def _unmappable(self, study: Study, one: MappedStudy) -> Refusal | None:
        """Refuse a study of which what was made does not pass FHIR's models: one, not the run."""
        try:
            self._check(one)
        except DataError as error:
            return replace(refusal(study, "unmappable"), detail=str(error))
        return None

    def _check(self, one: MappedStudy) -> None:
        for resource in one.resources:
            if resource in one.shared:
                if resource["id"] in self._checked:
                    continue
                self._checked.add(resource["id"])
            check(resource, self.context.version)


@lru_cache(_REMEMBERED)
def _digest(markers: Markers) -> str:
    text = repr(replace(markers, coding_schemes=()))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
