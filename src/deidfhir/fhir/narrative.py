"""Narratives: one or two sentences, escaped so that they come back from a server as they were."""

from __future__ import annotations

from deidfhir.fhir.extensions import without_what_xml_cannot_hold
from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table


def narrative(sentence: str) -> JsonObject:
    """Return Resource.text for plain text (FHIR Narrative)."""
    escaped = without_what_xml_cannot_hold(" ".join(sentence.split()))
    for character, entity in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        escaped = escaped.replace(character, f"&{entity};")
    namespace = table("urls.toml")["hl7"]["xhtml"]
    return {"status": "generated", "div": f'<div xmlns="{namespace}">{escaped}</div>'}
