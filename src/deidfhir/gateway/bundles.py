"""Studies → the one transaction Bundle of a request, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable

from deidfhir.errors import DataError
from deidfhir.fhir.check import check
from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.answers import Refused
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, transaction
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study
from deidfhir.pipeline.gate import admitted


def bundle_of(studies: Iterable[Study], context: MappingContext) -> JsonObject:
    """Return one transaction of all resources of some studies; what they share stands once.

    Args:
        studies: The studies, in the order of their UIDs.
        context: The mapping's; its policy is the gate's.

    Raises:
        Refused: A study may not be mapped; all that may not are named by their first object.
    """
    resources: dict[tuple[str, str], JsonObject] = {}
    wrong: list[Finding] = []
    for study in studies:
        mapped = _admitted(study, context, wrong)
        for one in mapped.resources if mapped else ():
            resources.setdefault((one["resourceType"], one["id"]), one)
    if wrong:
        raise Refused(*wrong)
    return transaction(tuple(resources.values()))


def _admitted(study: Study, context: MappingContext, wrong: list[Finding]) -> MappedStudy | None:
    mapped, refusal = admitted(study, context, findings_of(study))
    if mapped is None or refusal is not None:
        wrong += [refusal.finding] if refusal else []
        return None
    try:
        for resource in mapped.resources:
            check(resource, context.version)
    except DataError:
        wrong.append(Finding("unmappable", study.path))
    return mapped
