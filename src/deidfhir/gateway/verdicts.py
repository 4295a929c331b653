"""`POST /verdict`: what objects, or FHIR resources, claim."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import FHIR_JSON, JSON
from deidfhir.gateway.body import form_of, received
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.judging import Judgement, judged_objects, judged_resources
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.multipart import Part
from deidfhir.gateway.objects import OBJECTS, instances_of, read_body
from deidfhir.gateway.resources import resource_in
from deidfhir.web.numbers import line_of

FORMS = (*OBJECTS, FHIR_JSON)
_KINDS = ("Bundle", "ImagingStudy")


async def judge(request: Request, gateway: Gateway) -> Response:
    """Answer with the verdicts of a request's objects, or of what resources state.

    Args:
        request: Of objects, or of a Bundle of ImagingStudy and Provenance.
        gateway: What the routes share.

    Raises:
        Refused: An object cannot be used, or a statement not read: then nothing is judged.
    """
    form = form_of(request, FORMS)
    body = await received(request, gateway.limits)
    return Response(await gateway.run(_line, gateway, body, form), media_type=JSON)


def _line(gateway: Gateway, body: bytes, form: MediaType) -> bytes:
    return line_of(_judged(gateway, body, form).as_dict()).encode()


def _judged(gateway: Gateway, body: bytes, form: MediaType) -> Judgement:
    if form.name == FHIR_JSON:
        return judged_resources([resource_in(body, _KINDS)], gateway.context)
    return judged_parts(gateway, read_body(body, form, gateway.limits.objects))


def judged_parts(gateway: Gateway, parts: list[Part]) -> Judgement:
    """Return what the objects of some parts claim.

    Args:
        gateway: What the routes share.
        parts: As `read_body` gives them.

    Raises:
        Refused: An object cannot be used.
    """
    studies, instances = instances_of(parts, gateway.limits.objects)
    return judged_objects(studies, instances, gateway.context)
