"""Studies → the work of a sync job: what is to be stated, refused, or left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256

from deidfhir.mapping.study import MappedStudy
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.record import Instance, Markers
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.foreign import StudyForms
from deidfhir.pipeline.gate import WITHDRAWING, Refusal, admitted
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.told import Told
from deidfhir.sync.settled import Settled
from deidfhir.sync.unit import Listed, Refused, Unit

_REMEMBERED = 256


@dataclass
class SyncWork(Work):
    """The studies of a reading, on their way to a target.

    Args:
        remembers: Whether what is told of each study is kept, for the next run.
    """

    remembers: bool = False
    told: dict[str, Told] = field(default_factory=dict, init=False)

    def note(self, study: Study, findings: tuple[Finding, ...], refused: Refusal | None) -> None:
        """Keep what is told of a study, for the next run."""
        if not self.remembers:
            return
        tools, unrecognised = self.recognised()
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
            refused = refused or self.unmappable(study, made)
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
        before = self.refused.pop(study.uid, None)
        if before is not None:
            self.refusals.remove(before)
        if refused is not None:
            self.refusals.append(refused)
            self.refused[study.uid] = refused
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
        leaving, policy = self.leaving, self._by_policy
        claims = {id(one): f"{policy}:{_digest(one.markers)}" for one in leaving.facts}
        return {one.sop_instance_uid: claims[id(one.facts)] for one in leaving.instances}


@lru_cache(_REMEMBERED)
def _digest(markers: Markers) -> str:
    text = repr(replace(markers, coding_schemes=()))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
