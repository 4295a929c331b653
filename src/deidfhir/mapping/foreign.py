"""Someone else's ImagingStudy: what it lists, and whether it may be touched at all (D21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import bare
from deidfhir.mapping.labels import names_retained_uids
from deidfhir.mapping.leaving import claims_of, inferred_codes
from deidfhir.model.options import BASIC_PROFILE, RETAIN_UIDS
from deidfhir.model.record import Facts
from deidfhir.model.study import Study


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a statement about someone else's ImagingStudy rests on.

    Args:
        id: Its id.
        series: Series UID → the SOP Instance UIDs that it lists.
        complete: Whether it lists as many as it says there are.
        enriched: Whether the markers stand on it, beside the Provenance.
    """

    id: str
    series: Mapping[str, frozenset[str]]
    complete: bool
    enriched: bool = False

    @classmethod
    def of(cls, resource: JsonObject, *, enriched: bool = False) -> Foreign:
        """Return what an ImagingStudy lists; what has another form than FHIR's lists nothing.

        Args:
            resource: As the target has it.
            enriched: Whether the markers stand on it, beside the Provenance.
        """
        series: dict[str, frozenset[str]] = {}
        complete, total = True, 0
        for one in _objects(resource, "series"):
            uids = [bare(str(each.get("uid", ""))) for each in _objects(one, "instance")]
            uid = bare(str(one.get("uid", "")))
            complete &= uid not in series and one.get("numberOfInstances", len(uids)) == len(uids)
            series[uid] = series.get(uid, frozenset()) | frozenset(uids)
            total += len(uids)
        complete &= resource.get("numberOfInstances", total) == total
        complete &= resource.get("numberOfSeries", len(series)) == len(series)
        return cls(str(resource.get("id", "")), series, complete, enriched)

    @property
    def instances(self) -> frozenset[str]:
        """The SOP Instance UIDs that it lists."""
        return frozenset(uid for listed in self.series.values() for uid in listed)

    def lists(self, study: Study) -> bool:
        """Whether it lists exactly the instances that were read.

        Only then may a statement be about the study or a series as a whole.

        Args:
            study: The study.
        """
        read = {
            uid: frozenset(one.sop_instance_uid for one in members)
            for uid, members in study.series().items()
        }
        return self.complete and self.series == read


def _objects(element: JsonObject, name: str) -> list[JsonObject]:
    found = element.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def uids_replaced(study: Study, context: MappingContext) -> bool:
    """Whether the codes of every instance say that its UIDs are not those of the original.

    Only then someone else's ImagingStudy of the same UID cannot be that of the identified original.

    Args:
        study: As read.
        context: The mapping's.
    """
    return all(_replaced(one, context) for one in study.facts)


def _replaced(facts: Facts, context: MappingContext) -> bool:
    inferred = inferred_codes(facts, context)
    stated = facts.markers.option_codes()
    said = stated | inferred if context.in_force.inferred_codes else stated
    kept = RETAIN_UIDS in inferred or any(
        names_retained_uids(one) for one in facts.markers.method_code or ()
    )
    return claims_of(facts, context).removed and BASIC_PROFILE in said and not kept
