"""SearchParameters, and the CapabilityStatement of what the client needs."""

from __future__ import annotations

from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.package.base import Publication
from deidfhir.tables import table

_LEVELS = ("ImagingStudy", "ImagingStudy.series", "ImagingStudy.series.instance")


def search_parameters(publication: Publication) -> list[JsonObject]:
    """Return the search parameters for verdict, method code and inferred tool."""
    rows = table("package/searching.toml")["search-parameter"]
    return [_parameter(row, publication) for row in rows]


def _parameter(row: dict[str, Any], publication: Publication) -> JsonObject:
    path = publication.filled(row["path"])
    places = [
        place
        for kind in row["base"]
        for place in (_LEVELS if kind == "ImagingStudy" and not row.get("study_only") else (kind,))
    ]
    url = f"{publication.canonical}/SearchParameter/{row['id']}"
    head = publication.resource("SearchParameter", url, row)
    return {
        **head,
        "code": row["id"],
        "base": row["base"],
        "type": "token",
        "expression": " | ".join(f"{place}.{path}" for place in places),
        **({"processingMode": "normal"} if publication.is_r5 else {}),
    }


def capability_statement(publication: Publication) -> JsonObject:
    """Return what the client needs of a server."""
    row = table("package/searching.toml")["capability"]
    url = f"{publication.canonical}/CapabilityStatement/deidfhir-server"
    named = {
        "name": "DeidfhirServer",
        "title": "What deidfhir needs of a server",
        "description": row["description"],
    }
    return {
        **publication.resource("CapabilityStatement", url, named),
        "kind": "requirements",
        "fhirVersion": publication.fhir_version,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(one, publication) for one in row["resource"]],
                "interaction": [{"code": one} for one in row["system"]],
            }
        ],
    }


def _resource(row: dict[str, Any], publication: Publication) -> JsonObject:
    found: JsonObject = {"type": row["type"]}
    if row["type"] in table("urls.toml")["profile"]:
        found["supportedProfile"] = [publication.profile(row["type"])]
    ours = [
        {"name": one["code"], "definition": one["url"], "type": one["type"]}
        for one in search_parameters(publication)
        if row["type"] in one["base"]
    ]
    asked = [{"name": name, "type": kind} for name, kind in row["search"].items()]
    return {
        **found,
        "interaction": [{"code": one} for one in row["interactions"]],
        "updateCreate": True,
        "searchParam": [*asked, *ours],
    }
