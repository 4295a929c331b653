"""StructureDefinitions of the profiles that our resources claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.package.base import Publication
from deidfhir.tables import table

_BASE: str = table("urls.toml")["hl7"]["structure"]


def profile_definitions(publication: Publication) -> list[JsonObject]:
    """Return the StructureDefinition of every profile of ours."""
    rows = table("package/profiles.toml")["profile"]
    return [_definition(row, publication) for row in rows]


def _definition(row: dict[str, Any], publication: Publication) -> JsonObject:
    kind = row["kind"]
    root = {
        "id": kind,
        "path": kind,
        "short": row["title"],
        "definition": row["description"],
        "constraint": [
            publication.invariant(one) for one in row["invariants"] if _holds(one, publication)
        ],
    }
    places = {one["path"]: one for one in row["extensions"]}
    elements: dict[str, list[JsonObject]] = {}
    for path, one in places.items():
        elements[f"{path}.extension"] = list(_extensions(path, one, publication))
    for one in row["elements"]:
        if _holds(one, publication):
            elements[one["path"]] = [_element(one)]
    ordered = sorted(elements, key=_ORDER[kind].index)
    return {
        **publication.resource("StructureDefinition", publication.profile(kind), row),
        "fhirVersion": publication.fhir_version,
        "kind": "resource",
        "abstract": False,
        "type": kind,
        "baseDefinition": f"{_BASE}{kind}",
        "derivation": "constraint",
        "differential": {"element": [root, *(one for path in ordered for one in elements[path])]},
    }


# A differential follows the order of the elements in the base resource.
_ORDER = {
    "ImagingStudy": [
        "ImagingStudy.contained",
        "ImagingStudy.extension",
        "ImagingStudy.identifier",
        "ImagingStudy.encounter",
        "ImagingStudy.basedOn",
        "ImagingStudy.partOf",
        "ImagingStudy.referrer",
        "ImagingStudy.interpreter",
        "ImagingStudy.procedureReference",
        "ImagingStudy.procedureCode",
        "ImagingStudy.procedure",
        "ImagingStudy.location",
        "ImagingStudy.reasonCode",
        "ImagingStudy.reasonReference",
        "ImagingStudy.reason",
        "ImagingStudy.note",
        "ImagingStudy.series",
        "ImagingStudy.series.extension",
        "ImagingStudy.series.laterality",
        "ImagingStudy.series.specimen",
        "ImagingStudy.series.performer",
        "ImagingStudy.series.instance",
        "ImagingStudy.series.instance.extension",
    ],
    "Provenance": [
        "Provenance.contained",
        "Provenance.extension",
        "Provenance.target",
        "Provenance.location",
        "Provenance.reason",
        "Provenance.authorization",
        "Provenance.activity",
        "Provenance.basedOn",
        "Provenance.patient",
        "Provenance.encounter",
        "Provenance.agent.extension",
        "Provenance.agent.type",
        "Provenance.agent.onBehalfOf",
        "Provenance.entity",
        "Provenance.signature",
    ],
    "Device": [
        "Device.contained",
        "Device.extension",
        "Device.udiCarrier",
        "Device.type",
        "Device.patient",
        "Device.owner",
        "Device.contact",
        "Device.location",
        "Device.url",
        "Device.note",
    ],
}


def _holds(row: dict[str, Any], publication: Publication) -> bool:
    return ("R5" if publication.is_r5 else "R4") in row.get("only", ("R4", "R5"))


def _element(row: dict[str, Any]) -> JsonObject:
    element: JsonObject = {"id": row["path"], "path": row["path"]}
    element |= {key: row[key] for key in ("min", "max") if key in row}
    if "targets" in row:
        profiles = [f"{_BASE}{one}" for one in row["targets"]]
        element["type"] = [{"code": "Reference", "targetProfile": profiles}]
    return element


def _extensions(path: str, row: dict[str, str], publication: Publication) -> Iterator[JsonObject]:
    slices = {key: times.split("..") for key, times in row.items() if key != "path"}
    yield {
        "id": f"{path}.extension",
        "path": f"{path}.extension",
        "slicing": {
            "discriminator": [{"type": "value", "path": "url"}],
            "ordered": False,
            "rules": "open",
        },
        "min": sum(int(least) for least, _ in slices.values()),
    }
    for key, (least, most) in slices.items():
        yield {
            "id": f"{path}.extension:{key}",
            "path": f"{path}.extension",
            "sliceName": key,
            "min": int(least),
            "max": most,
            "type": [{"code": "Extension", "profile": [publication.extension(key)]}],
        }
