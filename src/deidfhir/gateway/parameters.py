"""Parameters of operations (FHIR operations.html): what a request gives, and what is answered."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from deidfhir.fhir.outcome import operation_outcome
from deidfhir.fhir.types import JsonObject
from deidfhir.gateway.answers import refused
from deidfhir.gateway.judging import Judged, Judgement
from deidfhir.gateway.media import media_type
from deidfhir.gateway.multipart import Part

_OBJECT, _RESOURCE = "object", "resource"


class Given(NamedTuple):
    """What the parameters of an operation give.

    Args:
        parts: The objects, as the parts of a body would hold them.
        resources: The resources.
    """

    parts: list[Part]
    resources: list[JsonObject]


def given_in(resource: JsonObject) -> Given:
    """Return what a request gives: Parameters, or one Binary in their place.

    Args:
        resource: The body.

    Raises:
        Refused: `parameter-broken`: a parameter is unknown, or not of its type.
    """
    if resource["resourceType"] == "Binary":
        return Given([_part(resource)], [])
    entries = resource.get("parameter", [])
    if not isinstance(entries, list):
        raise refused("parameter-broken")
    found = Given([], [])
    for entry in entries:
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(inner, dict):
            raise refused("parameter-broken")
        if entry.get("name") == _OBJECT and inner.get("resourceType") == "Binary":
            found.parts.append(_part(inner))
        elif entry.get("name") == _RESOURCE and inner.get("resourceType") != "Binary":
            found.resources.append(inner)
        else:
            raise refused("parameter-broken")
    return found


def _part(binary: JsonObject) -> Part:
    """Return the content of a Binary (FHIR binary.html)."""
    form, data = binary.get("contentType"), binary.get("data", "")
    found = media_type(form) if isinstance(form, str) else None
    if found is None or not isinstance(data, str):
        raise refused("parameter-broken")
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused("parameter-broken") from None
    return Part(found, content)


def parameters_of(judgement: Judgement, canonical: str) -> JsonObject:
    """Return what `$deid-verdict` answers.

    Args:
        judgement: What the request claims.
        canonical: The site's canonical base.
    """
    entries = _claim(judgement)
    entries += [_named("reason", valueCode=one) for one in judgement.reasons]
    entries += [{"name": "study", "part": _study(one)} for one in judgement.studies]
    outcome = operation_outcome(judgement.findings, canonical)
    entries.append({"name": "outcome", "resource": outcome})
    return {"resourceType": "Parameters", "parameter": entries}


def _study(study: Judged) -> list[JsonObject]:
    parts = [_named("name", valueString=study.name), *_claim(study)]
    if study.refusal:
        parts.append(_named("refusal", valueCode=study.refusal))
    return [*parts, _named("instances", valueInteger=len(study.claims))]


def _claim(judged: Judgement | Judged) -> list[JsonObject]:
    return [
        _named("verdict", valueCode=judged.verdict.value),
        _named("accepted", valueBoolean=judged.is_accepted),
    ]


def _named(name: str, **value: Any) -> JsonObject:  # noqa: ANN401 - as FHIR names its types
    return {"name": name, **value}
