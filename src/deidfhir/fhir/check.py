"""The gate: fhir.resources checks what we made before it leaves; plain dictionaries go on.

The models check types, cardinalities and names of elements. They are no serialiser of ours: the
round trip through them rewrites instants and costs more than reading the images.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from deidfhir.errors import DataError
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirVersion

_REMEMBERED = 512
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_SOME = "00000000-0000-4000-8000-000000000000"
_OID = re.compile(r'(?<=")(urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)(?=")')
_LONGEST = 64
_NUMBER = re.compile(r"(?<=: )[1-9][0-9]{0,8}(?=[,}])")


def check(resource: JsonObject, version: FhirVersion) -> None:
    """Check one resource against the models of its FHIR version.

    Of an ImagingStudy, every series is checked with one instance of each shape: instances that
    have the same elements differ in values only, and ten thousand of them would cost seconds.
    What is equal but for the UUIDs in it is checked once, and an ImagingStudy that is equal but for
    its UIDs and numbers.

    Args:
        resource: Any resource that the mapping makes.
        version: Its FHIR version.

    Raises:
        DataError: `resource-invalid`, with the paths at fault and never a value.
    """
    kind = resource["resourceType"]
    skeleton = _skeleton(resource) if kind == "ImagingStudy" else resource
    bare, extensions = _without_extensions(skeleton)
    passes = all(_passes("Extension", _like(one), version.models) for one in extensions)
    text = _study_like(bare) if kind == "ImagingStudy" else _like(bare)
    if not passes or not _passes(kind, text, version.models):
        check_whole(skeleton, version)  # tells where, of all that there is


def check_whole(resource: JsonObject, version: FhirVersion) -> None:
    """Check every element of one resource.

    Raises:
        DataError: `resource-invalid`.
    """
    paths = _at_fault(resource, version)
    if paths:
        raise DataError("resource-invalid", kind=resource["resourceType"], paths=", ".join(paths))


def _without_extensions(resource: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """Return a resource without the extensions that stand on it, its series and instances.

    There an extension is one among other elements: what is left passes or fails without it.
    """
    extensions: list[JsonObject] = list(resource.get("extension", ()))
    bare = {key: one for key, one in resource.items() if key != "extension"}
    for name in ("series", "instance"):
        if name in bare:
            parts = [_without_extensions(one) for one in bare[name]]
            bare[name] = [one for one, _ in parts]
            extensions += [each for _, found in parts for each in found]
    return bare, extensions


def _like(element: JsonObject) -> str:
    """Return the JSON of an element, each UUID in it replaced by one: models know their form."""
    return _UUID.sub(_SOME, json.dumps(element))


def _study_like(study: JsonObject) -> str:
    """Return the JSON of an ImagingStudy, each UID and each number in it replaced by one."""
    return _NUMBER.sub("1", _OID.sub(_same_form, _like(study)))


def _same_form(match: re.Match[str]) -> str:
    scheme, uid = match.groups("")
    return scheme + (uid if len(uid) > _LONGEST else "1.2")


@lru_cache(_REMEMBERED)
def _passes(kind: str, text: str, package: str) -> bool:
    try:
        _model(package, kind).model_validate(json.loads(text))
    except ValidationError:
        return False
    return True


def _at_fault(resource: JsonObject, version: FhirVersion) -> list[str]:
    """Return where a resource does not pass, the first five places."""
    try:
        _model(version.models, resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False, include_context=False)
        places = (".".join(str(part) for part in one["loc"]) + f" ({one['type']})" for one in told)
        return sorted(places)[:5]
    return []


@cache
def _model(package: str, kind: str) -> Any:  # noqa: ANN401 - the models are generated classes
    return getattr(import_module(f"{package}.{kind.lower()}"), kind)


def _skeleton(study: JsonObject) -> JsonObject:
    series = []
    for one in study.get("series", ()):
        shapes: dict[object, JsonObject] = {}
        for instance in one.get("instance", ()):
            shapes.setdefault(_shape(instance), instance)
        series.append({**one, "instance": list(shapes.values())} if shapes else one)
    return {**study, "series": series} if series else study


def _shape(instance: JsonObject) -> object:
    if "extension" in instance:
        return repr(instance)
    return tuple(instance), tuple(map(type, instance.values()))
