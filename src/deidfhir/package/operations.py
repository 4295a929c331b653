"""OperationDefinitions of the gateway, and what a gateway says of itself."""

from __future__ import annotations

from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.package.base import Publication
from deidfhir.tables import table
from deidfhir.version import __version__

_AS_THEY_ARE = ("name", "use", "min", "max", "documentation")


def operation_definitions(publication: Publication) -> list[JsonObject]:
    """Return the operations of the gateway (FHIR operationdefinition.html).

    Args:
        publication: For whom.
    """
    rows = table("package/operations.toml")["operation"]
    return [_operation(row, publication) for row in rows]


def _operation(row: dict[str, Any], publication: Publication) -> JsonObject:
    head = publication.resource("OperationDefinition", _url(row, publication), row)
    return {
        **head,
        "kind": "operation",
        "affectsState": False,
        "code": row["id"],
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [_parameter(one, publication) for one in row["parameter"]],
    }


def _url(row: dict[str, Any], publication: Publication) -> str:
    return f"{publication.canonical}/OperationDefinition/{row['id']}"


def _parameter(row: dict[str, Any], publication: Publication) -> JsonObject:
    found: JsonObject = {key: row[key] for key in _AS_THEY_ARE}
    if "type" in row:
        found["type"] = row["type"]
    if "codes" in row:
        value_set = publication.value_set(row["codes"])
        found["binding"] = {"strength": "required", "valueSet": value_set}
    if "part" in row:
        found["part"] = [_parameter(one, publication) for one in row["part"]]
    return found


def gateway_statement(publication: Publication, *, needs_token: bool) -> JsonObject:
    """Return what a running gateway can do (FHIR http.html#capabilities).

    Args:
        publication: For whom.
        needs_token: Whether requests need a token.
    """
    row = table("package/operations.toml")["capability"]
    url = f"{publication.canonical}/CapabilityStatement/deidfhir-gateway"
    security = {"security": {"description": row["token"]}} if needs_token else {}
    return {
        **publication.resource("CapabilityStatement", url, row),
        "kind": "instance",
        "software": {"name": "deidfhir", "version": __version__},
        "implementation": {"description": row["title"]},
        "fhirVersion": publication.fhir_version,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                **security,
                "operation": [
                    {"name": one["id"], "definition": _url(one, publication)}
                    for one in table("package/operations.toml")["operation"]
                ],
            }
        ],
    }
