"""How the gateway describes itself: `GET /openapi.json`, and `/docs` for people."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import JSON
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.openapi import document, refusals_of
from deidfhir.gateway.route import Route
from deidfhir.web.numbers import line_of

HTML = "text/html"
_SHIELD = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = "body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em}th,td{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}"  # noqa: E501
_HEADINGS = ("route", "what it does", "takes", "gives", "refuses with")


def describing_routes(described: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes that describe some others, and themselves.

    Args:
        described: The others.
    """

    async def openapi(_request: Request, gateway: Gateway) -> Response:
        return Response(line_of(document(every, gateway)).encode(), media_type=JSON)

    async def docs(_request: Request, gateway: Gateway) -> Response:
        return Response(_page(every, gateway), 200, _SHIELD, f"{HTML}; charset=utf-8")

    about = {"summary": "This description, OpenAPI 3.1."}
    ours = (
        Route("/openapi.json", "GET", openapi, about, answers=(JSON,)),
        Route("/docs", "GET", docs, {"summary": "The routes, for people."}, answers=(HTML,)),
    )
    every = (*described, *ours)
    return ours


def _page(routes: Iterable[Route], gateway: Gateway) -> str:
    """Return the routes as a page that needs nothing from elsewhere."""
    head = "".join(f"<th>{one}</th>" for one in _HEADINGS)
    rows = "".join(f"<tr>{_row(one, gateway)}</tr>" for one in routes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>deidfhir</title>'
        f"<style>{_STYLE}</style><h1>deidfhir</h1>"
        '<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"<table><tr>{head}</tr>{rows}</table></html>"
    )


def _row(route: Route, gateway: Gateway) -> str:
    refused = ", ".join(map(str, refusals_of(route, gateway)))
    texts = (
        f"{route.method} {route.path}",
        str(route.operation["summary"]),
        ", ".join(route.bodies),
        ", ".join(route.answers),
        refused,
    )
    return "".join(f"<td>{escape(one)}</td>" for one in texts)
