"""The table of routes: a new route is a row of it."""

from __future__ import annotations

from deidfhir.gateway.answers import JSON
from deidfhir.gateway.describing import describing_routes
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.health import TEXT, live, metrics, ready
from deidfhir.gateway.mapped import map_objects
from deidfhir.gateway.objects import OBJECTS
from deidfhir.gateway.operations import FHIR_FORMS, OPERATIONS
from deidfhir.gateway.route import Route
from deidfhir.gateway.targeted import routes_with
from deidfhir.gateway.verdicts import FORMS, judge

_MAP = Route(
    "/map",
    "POST",
    map_objects,
    {"summary": "The transaction Bundle that states what the objects state."},
    answers=FHIR_FORMS,
    bodies=OBJECTS,
    is_work=True,
    refusals=(422,),
)
_VERDICT = Route(
    "/verdict",
    "POST",
    judge,
    {"summary": "What the objects, or an ImagingStudy with its Provenance, claim."},
    answers=(JSON,),
    bodies=FORMS,
    is_work=True,
    refusals=(422,),
)
_TELLING = (
    Route(
        "/healthz",
        "GET",
        live,
        {"summary": "Whether the process lives."},
        answers=(TEXT,),
        is_open=True,
    ),
    Route(
        "/readyz",
        "GET",
        ready,
        {"summary": "Whether requests are taken."},
        answers=(TEXT,),
        is_open=True,
        refusals=(503,),
    ),
    Route(
        "/metrics",
        "GET",
        metrics,
        {"summary": "Numbers for Prometheus, text format 0.0.4."},
        answers=(TEXT,),
    ),
)


def routes_of(gateway: Gateway) -> tuple[Route, ...]:
    """Return the routes of a gateway; some are there only with a target.

    Args:
        gateway: What they share; they may add hooks, checks and numbers to it.
    """
    further = routes_with(gateway, gateway.target) if gateway.target is not None else ()
    found = (_MAP, _VERDICT, *further, *OPERATIONS, *_TELLING)
    return (*found, *describing_routes(found))
