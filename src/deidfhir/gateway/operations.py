"""The FHIR-shaped forms: `POST /$deid-map`, `POST /$deid-verdict`, `GET /metadata`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import FHIR_JSON, JSON, refused, resource_of
from deidfhir.gateway.body import form_of, received
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.judging import judged_resources
from deidfhir.gateway.mapped import line_of_parts
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.objects import OBJECTS, read_body
from deidfhir.gateway.parameters import Given, given_in, parameters_of
from deidfhir.gateway.resources import resource_in
from deidfhir.gateway.route import Route
from deidfhir.gateway.verdicts import judged_parts
from deidfhir.package.base import Publication
from deidfhir.package.operations import gateway_statement
from deidfhir.web.numbers import line_of

FHIR_FORMS = (FHIR_JSON, JSON)
_TAKEN = (*FHIR_FORMS, *OBJECTS)
_KINDS = ("Parameters", "Binary")


async def map_operation(request: Request, gateway: Gateway) -> Response:
    """Answer with the Bundle of an operation's objects.

    Args:
        request: Parameters, one Binary, or objects as `POST /map` takes them.
        gateway: What the routes share.

    Raises:
        Refused: As of `POST /map`, or `parameter-broken`.
    """
    form = form_of(request, _TAKEN)
    body = await received(request, gateway.limits)
    return resource_of(await gateway.run(_mapped, gateway, body, form), request)


def _mapped(gateway: Gateway, body: bytes, form: MediaType) -> bytes:
    given = _given(gateway, body, form)
    if given.resources or not given.parts:
        raise refused("parameter-broken")
    return line_of_parts(gateway, given.parts)


async def verdict_operation(request: Request, gateway: Gateway) -> Response:
    """Answer with the verdicts of an operation's objects or resources.

    Args:
        request: Parameters, one Binary, or objects as `POST /verdict` takes them.
        gateway: What the routes share.

    Raises:
        Refused: As of `POST /verdict`, or `parameter-broken`.
    """
    form = form_of(request, _TAKEN)
    body = await received(request, gateway.limits)
    return resource_of(await gateway.run(_judged, gateway, body, form), request)


def _judged(gateway: Gateway, body: bytes, form: MediaType) -> bytes:
    given = _given(gateway, body, form)
    if bool(given.parts) == bool(given.resources):
        raise refused("parameter-broken")
    if given.parts:
        judgement = judged_parts(gateway, given.parts)
    else:
        judgement = judged_resources(given.resources, gateway.context)
    return line_of(parameters_of(judgement, gateway.context.settings.canonical)).encode()


def _given(gateway: Gateway, body: bytes, form: MediaType) -> Given:
    if form.name in OBJECTS:
        return Given(read_body(body, form, gateway.limits.objects), [])
    return given_in(resource_in(body, _KINDS))


async def metadata(request: Request, gateway: Gateway) -> Response:
    """Answer with what the gateway can do."""
    publication = Publication(gateway.context.settings.canonical, gateway.context.fhir)
    needs_token = gateway.tokens is not None
    return resource_of(gateway_statement(publication, needs_token=needs_token), request)


OPERATIONS = (
    Route(
        "/$deid-map",
        "POST",
        map_operation,
        {"summary": "`/map` as a FHIR operation."},
        answers=FHIR_FORMS,
        bodies=_TAKEN,
        is_work=True,
        refusals=(422,),
    ),
    Route(
        "/$deid-verdict",
        "POST",
        verdict_operation,
        {"summary": "`/verdict` as a FHIR operation."},
        answers=FHIR_FORMS,
        bodies=_TAKEN,
        is_work=True,
        refusals=(422,),
    ),
    Route(
        "/metadata",
        "GET",
        metadata,
        {"summary": "The CapabilityStatement, which names the operations."},
        answers=FHIR_FORMS,
    ),
)
"""Their rows of the table of routes."""
