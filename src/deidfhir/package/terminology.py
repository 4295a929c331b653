"""CodeSystems, ValueSets and ConceptMaps."""

from __future__ import annotations

from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.model.verdict import REASONS
from deidfhir.package.base import Publication
from deidfhir.tables import table

# R4's ConceptMap.equivalence and R5's ConceptMap.relationship (FHIR conceptmap.html).
_RELATIONS = {
    "narrower": ("wider", "source-is-narrower-than-target"),
    "related": ("relatedto", "related-to"),
    "disjoint": ("disjoint", "not-related-to"),
}


def terminology(publication: Publication) -> list[JsonObject]:
    """Return our code systems, a value set of each, and the concept maps."""
    rows = table("package/terminology.toml")
    found = []
    for key, row in rows["code-system"].items():
        found += [_code_system(key, row, publication), _value_set(key, row, publication)]
    return found + [_concept_map(key, row, publication) for key, row in rows["concept-map"].items()]


def _code_system(key: str, row: dict[str, Any], publication: Publication) -> JsonObject:
    concepts = row.get("concepts") or _CONCEPTS[key]()
    return {
        **publication.resource("CodeSystem", publication.system(key), row),
        "caseSensitive": True,
        "valueSet": publication.value_set(key),
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }


def _reasons() -> list[JsonObject]:
    return [{"code": code, "display": text} for code, text in REASONS.items()]


def _terms() -> list[JsonObject]:
    return [
        {
            "code": code,
            "display": row["display"],
            "definition": f"{row['definition']} Source: {row['source']}",
        }
        for code, row in table("regulatory-terms.toml")["term"].items()
    ]


def _findings() -> list[JsonObject]:
    return [
        {
            "code": code,
            "display": row["text"],
            "definition": f"{row['severity']}: {row['text']} ({row['section']}). {row['action']}.",
        }
        for code, row in table("findings.toml").items()
    ]


_CONCEPTS = {"reason": _reasons, "term": _terms, "finding": _findings}


def _value_set(key: str, row: dict[str, Any], publication: Publication) -> JsonObject:
    return {
        **publication.resource("ValueSet", publication.value_set(key), row),
        "compose": {"include": [{"system": publication.system(key)}]},
    }


def _concept_map(key: str, row: dict[str, Any], publication: Publication) -> JsonObject:
    systems = table("urls.toml")["hl7"]
    ours = row["target"] in table("urls.toml")["system"]
    target = publication.system(row["target"]) if ours else systems[row["target"]]
    url = f"{publication.canonical}/ConceptMap/{_ID[key]}"
    scope = table("package/terminology.toml")["dicom"][row["source"]]
    codes: dict[str, str] = table("generated/dicom-codes.json")[row["source"]]
    elements = [
        _mapped(code, meaning, row["relations"], publication) for code, meaning in codes.items()
    ]
    return {
        **publication.resource("ConceptMap", url, row),
        "sourceScopeUri" if publication.is_r5 else "sourceUri": scope,
        "group": [
            {
                "source": table("crosswalk/coding-scheme.toml")["system"]["DCM"],
                "target": target,
                "element": elements,
            }
        ],
    }


_ID = {
    "lifecycle": "deidentification-method-to-lifecycle",
    "label": "deidentification-method-to-label",
    "finding": "deidentification-method-to-finding",
    "participant": "contributing-equipment-purpose-to-participant",
}


def _mapped(
    code: str, meaning: str, relations: dict[str, Any], publication: Publication
) -> JsonObject:
    element: JsonObject = {"code": code, "display": meaning}
    rows = relations.get(code) or relations.get("*") or ()
    if not rows:
        nothing = (
            {"noMap": True} if publication.is_r5 else {"target": [{"equivalence": "unmatched"}]}
        )
        return {**element, **nothing}
    name = "relationship" if publication.is_r5 else "equivalence"
    element["target"] = [
        {
            "code": row["code"],
            name: _RELATIONS[row["relation"]][publication.is_r5],
            "comment": row["comment"],
        }
        for row in rows
    ]
    return element
