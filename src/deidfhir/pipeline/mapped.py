"""Studies → the work of a run: mapped and checked, or refused at the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256

from deidfhir.errors import DataError
from deidfhir.fhir.check import check
from deidfhir.fhir.outcome import operation_outcome
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.inferred import recognised_in
from deidfhir.mapping.leaving import leaving_study
from deidfhir.mapping.patient import withdrawn_patient
from deidfhir.mapping.study import MappedStudy
from deidfhir.mapping.withdrawal import (
    is_ours,
    is_withdrawn,
    retired_study,
    study_uid,
    withdrawn_provenance,
    withdrawn_study,
)
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Markers
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.gate import WITHDRAWING, Refusal, admitted, refusal
from deidfhir.pipeline.inferences import unrecognised_in
from deidfhir.pipeline.sources import Reading
from deidfhir.policy.policy import Policy
from deidfhir.sync.unit import Listed, Refused, Unit


@dataclass(slots=True)
class Work:
    """The studies of a reading, on their way to a target.

    Args:
        reading: What was read.
        context: The mapping's; its policy says what may pass (D3).
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
    _checked: set[str] = field(default_factory=set, init=False)

    def mapped(self) -> Iterator[tuple[Study, MappedStudy | None]]:
        """Yield every study, mapped and checked, or with None where it is refused."""
        for study in self.reading.studies:
            self.studies += 1
            self.verdicts[study.verdict.value] += 1
            found = findings_of(study)
            self.findings += found
            self._count_tools(study)
            one, refused = admitted(study, self.context, found)
            if one is not None:
                self.findings += one.findings
                refused = refused or self._unmappable(study, one)
            if refused is not None:
                self.refusals.append(refused)
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

    def _count_tools(self, study: Study) -> None:
        """Count the studies of each recognised tool, and the texts that no entry knows."""
        tools: set[str] = set()
        texts: set[str] = set()
        for one in leaving_study(study, self.context)[0].instances:
            tools.update(found.tool for found in recognised_in(one, self.context).inferences)
            texts.update(unrecognised_in(one, self.context))
        self.tools.update(tools - {""})
        self.unrecognised += len(texts)

    def units(self) -> Iterator[Unit | Refused | Listed]:
        """Yield the work of a sync job or of a verification."""
        for study, one in self.mapped():
            if one is not None:
                yield Unit(
                    one.imaging_study,
                    one.provenances,
                    one.shared,
                    study.uid,
                    self._claims(study),
                    study.path,
                    one.patients,
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
                    self._claims(study),
                    self._is_decisive(self.refusals[-1]),
                    study.path,
                )

    def _is_decisive(self, refused: Refusal) -> bool:
        """Whether no instance that was not read could make the study acceptable."""
        return refused.finding.code != "not-accepted" or Verdict.MIXED not in self.policy.accept

    def _claims(self, study: Study) -> dict[str, str]:
        """Return instance UID → digest of the instance's markers (D19: copies must agree in them).

        Of the markers as far as they leave: a digest of what is withheld could be found out by
        trying. Digests of different policies say nothing of each other, and tell their policy.
        """
        kept, _ = leaving_study(study, self.context)
        return {
            one.sop_instance_uid: f"{self.policy.digest[:4]}:{_digest(one.markers)}"
            for one in kept.instances
        }

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
        check(_envelope(one.bundle()), self.context.version)


def _envelope(bundle: JsonObject) -> JsonObject:
    """Return a Bundle without its resources, which are checked one by one."""
    entries = [{key: one[key] for key in ("fullUrl", "request")} for one in bundle["entry"]]
    return {**bundle, "entry": entries}


def _digest(markers: Markers) -> str:
    text = repr(replace(markers, coding_schemes=()))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class OurStatements:
    """The mapping's side of withdrawal, for the sync room.

    Args:
        context: The mapping's.
    """

    context: MappingContext

    def is_ours(self, provenance: JsonObject, key: str) -> bool:
        """Whether we would have written this Provenance for the study of this UID."""
        return is_ours(provenance, key, self.context)

    def is_withdrawn(self, provenance: JsonObject) -> bool:
        """Whether a Provenance carries our mark of withdrawal."""
        return is_withdrawn(provenance, self.context)

    def patient_id(self, key: str) -> str:
        """Return the id of the Patient of the study of this UID."""
        return self.context.namer.patient(key)

    def withdrawn_patient(self, identity: str) -> JsonObject:
        """Return what overwrites a Patient that the target refuses to delete."""
        return withdrawn_patient(identity, self.context)

    def stands_for(self, uid: str) -> str:
        """Return what stands for an instance in the journal."""
        return self.context.namer.stands_for(uid)

    def withdrawn_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy without its statements."""
        return withdrawn_study(resource, self.context)

    def withdrawn_provenance(self, resource: JsonObject) -> JsonObject:
        """Return what overwrites a Provenance that the target refuses to delete."""
        return withdrawn_provenance(resource, self.context)

    def key_of(self, study: JsonObject) -> str:
        """Return the UID of our ImagingStudy, or nothing for someone else's."""
        return study_uid(study, self.context)

    @property
    def outlive(self) -> bool:
        """Whether what was stated of a study is kept when the study has vanished."""
        return self.context.settings.retired_statements == "keep"

    def retired_study(self, resource: JsonObject) -> JsonObject:
        """Return our ImagingStudy as it stands once its study has vanished."""
        return retired_study(resource, self.context)
