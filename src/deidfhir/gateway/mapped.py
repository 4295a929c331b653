"""`POST /map`: objects → the transaction Bundle that `deidfhir map` makes of them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.errors import DataError
from deidfhir.fhir.check import check
from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.answers import Refused, resource_of
from deidfhir.gateway.body import form_of, received
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.objects import OBJECTS, instances_of, read_body
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.study import MappedStudy, transaction
from deidfhir.model.checks import findings_of
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study
from deidfhir.pipeline.gate import admitted
from deidfhir.web.numbers import line_of

_MOST_TOLD = 20


async def map_objects(request: Request, gateway: Gateway) -> Response:
    """Answer with the Bundle of a request's objects.

    Args:
        request: Of one or several objects, of one or several studies.
        gateway: What the routes share.

    Raises:
        Refused: An object cannot be used, or a study may not be mapped: then nothing is.
    """
    form = form_of(request, OBJECTS)
    body = await received(request, gateway.limits)
    return resource_of(await gateway.run(_line, gateway, body, form), request)


def _line(gateway: Gateway, body: bytes, form: MediaType) -> bytes:
    most = gateway.limits.objects
    studies, _ = instances_of(read_body(body, form, most), most)
    return line_of(bundle_of(studies, gateway.context)).encode()


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
        raise Refused(*wrong[:_MOST_TOLD])
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
