"""The mapping's side of someone else's ImagingStudy, for the sync room (D21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from deidfhir.fhir.check import check
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.enriched import enriched, is_enriched, stripped
from deidfhir.mapping.foreign import Foreign, uids_replaced
from deidfhir.mapping.identity import STUDY, WHOLE, bare, urn
from deidfhir.mapping.reverse import read_back
from deidfhir.mapping.study import foreign_provenances
from deidfhir.mapping.withdrawal import is_ours
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict, verdict_of
from deidfhir.tables import table


@dataclass(frozen=True)
class StudyForms:
    """The forms of one study beside someone else's ImagingStudy.

    Args:
        study: As read.
        ours: The ImagingStudy that we would make.
        context: The mapping's.
        is_part: Whether ours states more than was read.
    """

    study: Study
    ours: JsonObject
    context: MappingContext
    is_part: bool = False

    @property
    def identifiers(self) -> tuple[str, ...]:
        """`system|value`, with the confirmed form of the UID and with the bare one."""
        return identifiers_of(self.study.uid)

    @cached_property
    def may_touch(self) -> bool:
        """Whether codes or site say that theirs cannot be that of the identified original."""
        told = self.context.settings.target_deidentified
        return told or uids_replaced(self.study, self.context)

    @property
    def leaves_out(self) -> bool:
        """Whether instances do not state `removed`: no Provenance is about them (D3)."""
        verdicts = {verdict_of(one.markers)[0] for one in self.study.facts}
        return verdicts != {Verdict.REMOVED}

    def provenances(self, theirs: JsonObject, *, enriched: bool) -> tuple[JsonObject, ...]:
        """Return the Provenance resources that target theirs, checked.

        Raises:
            DataError: `resource-invalid`.
        """
        foreign = Foreign.of(theirs, enriched=enriched)
        found = foreign_provenances(self.study, foreign, self.context)
        for one in found:
            check(one, self.context.version)
        return found

    def enriched(self, theirs: JsonObject) -> JsonObject | None:
        """Return theirs with our extensions and label; None if it carries others' markers."""
        return enriched(theirs, self.ours, self.study, self.context)


@dataclass(frozen=True, slots=True)
class OurTraces:
    """What of ours stands on someone else's resources.

    Args:
        context: The mapping's.
    """

    context: MappingContext

    def stripped(self, theirs: JsonObject, owner: str) -> JsonObject:
        """Return theirs without what we added; the same object where that is nothing."""
        return stripped(theirs, owner, self.context)

    def covered(
        self, theirs: JsonObject, provenances: tuple[JsonObject, ...], key: str, owner: str
    ) -> frozenset[str]:
        """Return the SOP Instance UIDs of which our statements about theirs speak."""
        if not is_enriched(theirs, owner, self.context):
            theirs = {name: one for name, one in theirs.items() if name != "extension"}
        ours = [one for one in provenances if self.is_ours(one, key)]
        studies = read_back([theirs, *ours], lambda _: None)
        return frozenset(
            one.sop_instance_uid
            for study in studies
            for one in study.instances
            if one.verdict is not None
        )

    def first_ids(self, key: str, instances: Mapping[str, str]) -> tuple[str, ...]:
        """Return the ids that the whole may have, in every place: there may be many sets."""
        places = (STUDY, *sorted(instances))
        return tuple(self.context.namer.provenance(key, WHOLE, one) for one in places)

    def is_ours(self, provenance: JsonObject, key: str) -> bool:
        """Whether we would have written this Provenance for the study of this UID."""
        return is_ours(provenance, key, self.context)


def identifiers_of(study_uid: str) -> tuple[str, ...]:
    """Return `system|value` by which the ImagingStudy of a study is found, whoever wrote it.

    Args:
        study_uid: Study Instance UID.
    """
    system = table("urls.toml")["hl7"]["dicom_uid"]
    return tuple(f"{system}|{one}" for one in dict.fromkeys((urn(study_uid), bare(study_uid))))
