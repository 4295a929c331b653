"""The routes as an OpenAPI 3.1 document, made of the table of routes: `GET /openapi.json`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from deidfhir.gateway.answers import FHIR_JSON
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.route import Route
from deidfhir.version import __version__

Document = dict[str, Any]
_OUTCOME = {
    "type": "object",
    "description": "A FHIR OperationOutcome: each issue says what, why and what to do.",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
}
_PLACE = re.compile(r"\{(\w+)\}")
_SCHEMAS: dict[str, Document] = {
    "application/json": {"type": "object"},
    "application/fhir+json": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    },
    "application/dicom+json": {
        "oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]
    },
    "application/dicom": {"type": "string", "contentMediaType": "application/dicom"},
    "multipart/related": {"type": "string", "contentMediaType": "multipart/related"},
    "text/plain": {"type": "string"},
    "text/html": {"type": "string"},
}


def document(routes: Iterable[Route], gateway: Gateway) -> Document:
    """Return the OpenAPI document of some routes.

    Args:
        routes: The rows of the table.
        gateway: Tells whether requests need a token.
    """
    paths: dict[str, Document] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, gateway)
    components: Document = {"schemas": {"OperationOutcome": _OUTCOME}}
    if gateway.tokens is not None:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "deidfhir",
            "version": __version__,
            "description": "What DICOM images say of how they were de-identified, said in FHIR.",
        },
        "paths": paths,
        "components": components,
    }


def refusals_of(route: Route, gateway: Gateway) -> list[int]:
    """Return the HTTP statuses with which a route may refuse a request, sorted.

    Args:
        route: A row of the table.
        gateway: Tells whether requests need a token.
    """
    found = {400, 406, 431, *route.refusals}
    if not route.is_open:
        found.add(421 if gateway.tokens is None else 401)
    if route.bodies:
        found |= {408, 413, 415}
    if route.is_work:
        found |= {429, 503}
    return sorted(found)


def _operation(route: Route, gateway: Gateway) -> Document:
    stated = {"responses": {}, **route.operation}
    answers = {form: {"schema": _schema(form)} for form in route.answers}
    responses: Document = {"200": {"description": "Done.", "content": answers}}
    for status in refusals_of(route, gateway):
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}.",
            "content": {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}},
        }
    found = {**stated, "responses": {**responses, **stated["responses"]}}
    found["operationId"] = _name(route)
    if route.bodies:
        content = {form: {"schema": _schema(form)} for form in route.bodies}
        found["requestBody"] = {"required": True, "content": content}
    if gateway.tokens is not None and not route.is_open:
        found["security"] = [{"token": []}]
    return found


def _schema(form: str) -> Document:
    return _SCHEMAS[form]


def _name(route: Route) -> str:
    words = re.findall(r"[a-z]+", _PLACE.sub(r"by \1", route.path))
    return "-".join([route.method.lower(), *words])
