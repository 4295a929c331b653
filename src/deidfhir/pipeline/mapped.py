"""Studies → resources: mapped and checked, or refused at the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

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
from deidfhir.model.study import Study
from deidfhir.pipeline.gate import Refusal, admitted, refusal
from deidfhir.pipeline.inferences import unrecognised_in
from deidfhir.pipeline.reading import Reading
from deidfhir.policy.policy import Policy


@dataclass
class Work:
    """The studies of a reading, as far as they are mapped.

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
    refused: dict[str, Refusal] = field(default_factory=dict, init=False)
    _checked: set[str] = field(default_factory=set, init=False)
    leaving: LeavingStudy = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is odd about the source itself."""
        self.findings += self.reading.findings

    def mapped(self) -> Iterator[tuple[Study, MappedStudy | None]]:
        """Yield every study, mapped and checked, or with None where it is refused."""
        for study in self.reading.studies:
            self.studies += 1
            self.verdicts[study.verdict.value] += 1
            found = findings_of(study)
            self.findings += found
            one, refused = admitted(study, self.context, found)
            self.leaving = one.leaving if one else leaving_study(study, self.context)[0]
            tools, unrecognised = self.recognised()
            self.tools.update(tools)
            self.unrecognised += unrecognised
            if one is not None:
                self.findings += one.findings
                refused = refused or self.unmappable(study, one)
            if refused is not None:
                self.refusals.append(refused)
                self.refused[study.uid] = refused
            self.note(study, (*found, *(one.findings if one else ())), refused)
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

    def note(self, study: Study, findings: tuple[Finding, ...], refused: Refusal | None) -> None:
        """Keep what is told of a study, for whoever needs it again.

        Args:
            study: The study.
            findings: What is odd in it.
            refused: Why it is refused, if it is.
        """

    def recognised(self) -> tuple[set[str], int]:
        """Return the recognised tools of a study, and of how many texts no entry knows."""
        tools: set[str] = set()
        texts: set[str] = set()
        for one in self.leaving.facts:
            tools.update(found.tool for found in recognised_in(one, self.context).inferences)
            texts.update(unrecognised_in(one, self.context))
        return tools - {""}, len(texts)

    def unmappable(self, study: Study, one: MappedStudy) -> Refusal | None:
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
