"""The way of a request: who asks and how is looked at first; every way out is an answer."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from deidfhir.errors import FatalError
from deidfhir.gateway.answers import SOON, Refused, outcome_of, refused
from deidfhir.gateway.body import form_of
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.media import accepted
from deidfhir.gateway.meter import NO_ROUTE
from deidfhir.gateway.route import Route

Endpoint = Callable[[Request], Awaitable[Response]]

_HOST = re.compile(
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?", re.ASCII
)
"""RFC 9110 7.2, without what no address of ours has."""


def endpoint(routes: Mapping[str, Route], gateway: Gateway) -> Endpoint:
    """Return what answers the requests for one path.

    Args:
        routes: Method → route.
        gateway: What the routes share.
    """

    async def answer(request: Request) -> Response:
        route = routes.get(request.method) or routes["GET"]  # HEAD
        begun, code = time.perf_counter(), ""
        try:
            response = await _handled(request, route, gateway)
        except Refused as refusal:
            code = refusal.findings[0].code
            response = outcome_of(refusal, gateway.context.settings.canonical)
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody is there to read it
        except Exception as error:  # noqa: BLE001 - a traceback could quote what was read
            code = "gateway-failed"
            gateway.tell(str(_internal(error)))
            response = outcome_of(refused(code), gateway.context.settings.canonical)
        _note(gateway, route.path, response.status_code, time.perf_counter() - begun, code)
        return response

    return answer


async def no_route(request: Request, error: Exception, gateway: Gateway) -> Response:
    """Answer a request for a path or method that there is not.

    Args:
        request: The request; nothing of it is repeated.
        error: What Starlette raises.
        gateway: What the routes share.
    """
    del request
    is_method = isinstance(error, HTTPException) and error.status_code == 405
    allowed = error.headers if isinstance(error, HTTPException) and is_method else None
    code = "method-unknown" if is_method else "route-unknown"
    refusal = refused(code, **dict(allowed or {}))
    _note(gateway, NO_ROUTE, refusal.status, 0.0, code)
    return outcome_of(refusal, gateway.context.settings.canonical)


async def _handled(request: Request, route: Route, gateway: Gateway) -> Response:
    if not route.is_open:
        _require_known(request, gateway)
    form = accepted(request.headers.get("accept", ""), route.answers)
    if form is None:
        raise refused("answer-not-acceptable")
    request.state.form = form
    if not route.is_work:
        return await route.handle(request, gateway)
    if gateway.is_draining:
        raise refused("gateway-draining", Connection="close", **SOON)
    if route.bodies:
        form_of(request, route.bodies)
    if gateway.meter.under_way >= gateway.limits.requests:
        raise refused("gateway-crowded", **SOON)
    gateway.meter.under_way += 1
    try:
        return await route.handle(request, gateway)
    finally:
        gateway.meter.under_way -= 1


def _require_known(request: Request, gateway: Gateway) -> None:
    """Require a token, or where there is none, that no other site's page made a browser ask.

    A name that was rebound to a loopback address stands in the header Host.

    Raises:
        Refused: `token-demanded` or `host-unknown`.
    """
    if gateway.tokens is not None:
        if not gateway.tokens.admits(request.headers.get("authorization", "")):
            raise refused("token-demanded", WWW_Authenticate='Bearer realm="deidfhir"')
    elif gateway.hosts and _host_of(request) not in gateway.hosts:
        raise refused("host-unknown")


def _host_of(request: Request) -> str:
    """Return whom a request addresses; nothing where its header Host says none, or two.

    Starlette takes its own address where that header is broken: then whoever breaks it is let in.
    """
    given = request.headers.getlist("host")
    found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
    return (found["address"] or found["name"]).lower() if found else ""


def _note(gateway: Gateway, route: str, status: int, seconds: float, code: str) -> None:
    gateway.meter.note(route, status, seconds, code)
    told = {"finding": code} if code else {}
    rounded = round(seconds, 6)
    gateway.events("request-answered", route=route, status=status, seconds=rounded, **told)


def _internal(error: Exception) -> FatalError:
    """Return what may be said of an error that nobody foresaw: its kind and its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return FatalError("internal", kind=type(error).__name__, place=place)
