"""`POST /map`: objects → the transaction Bundle that `deidfhir map` makes of them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import resource_of
from deidfhir.gateway.body import form_of, received
from deidfhir.gateway.bundles import bundle_of
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.multipart import Part
from deidfhir.gateway.objects import OBJECTS, instances_of, read_body
from deidfhir.web.numbers import line_of


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
    line = gateway.at_once.line(body, form)
    if line is None:
        line = await gateway.run(_line, gateway, body, form)
    return resource_of(line, request)


def _line(gateway: Gateway, body: bytes, form: MediaType) -> bytes:
    return line_of_parts(gateway, read_body(body, form, gateway.limits.objects))


def line_of_parts(gateway: Gateway, parts: list[Part]) -> bytes:
    """Return the Bundle of the objects of some parts.

    Args:
        gateway: What the routes share.
        parts: As `read_body` gives them.

    Raises:
        Refused: As `map_objects`.
    """
    studies, _ = instances_of(parts, gateway.limits.objects)
    return line_of(bundle_of(studies, gateway.context)).encode()
