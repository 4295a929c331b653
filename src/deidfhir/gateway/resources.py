"""A FHIR resource as the body of a request."""

from __future__ import annotations

import json

from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.answers import refused


def resource_in(body: bytes, kinds: tuple[str, ...]) -> JsonObject:
    """Return the resource that a body holds.

    Args:
        body: JSON in UTF-8 (FHIR json.html).
        kinds: Resource types of which it must be one.

    Raises:
        Refused: `resource-broken`.
    """
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("resourceType") not in kinds:
        raise refused("resource-broken")
    return found
