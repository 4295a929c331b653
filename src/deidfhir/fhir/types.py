"""Names for the plain dictionaries that flow between the rooms."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
"""A FHIR resource or element as JSON holds it."""


def reference(resource: JsonObject) -> str:
    """Return the relative reference of a resource, `Type/id`."""
    return f"{resource['resourceType']}/{resource['id']}"
