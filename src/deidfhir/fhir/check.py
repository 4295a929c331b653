"""The gate: fhir.resources checks what we made before it leaves; plain dictionaries go on.

The models check types, cardinalities and names of elements. They are no serialiser of ours: the
round trip through them rewrites instants and costs more than reading the images.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from deidfhir.errors import DataError
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirVersion


def check(resource: JsonObject, version: FhirVersion) -> None:
    """Check one resource against the models of its FHIR version.

    Of an ImagingStudy, every series is checked with one instance of each shape: instances that
    have the same elements differ in values only, and ten thousand of them would cost seconds.

    Args:
        resource: Any resource that the mapping makes.
        version: Its FHIR version.

    Raises:
        DataError: `resource-invalid`, with the paths at fault and never a value.
    """
    skeleton = _skeleton(resource) if resource["resourceType"] == "ImagingStudy" else resource
    check_whole(skeleton, version)


def check_whole(resource: JsonObject, version: FhirVersion) -> None:
    """Check every element of one resource.

    Raises:
        DataError: `resource-invalid`.
    """
    paths = _at_fault(resource, version)
    if paths:
        raise DataError("resource-invalid", kind=resource["resourceType"], paths=", ".join(paths))


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
        shapes: dict[str, JsonObject] = {}
        for instance in one.get("instance", ()):
            shapes.setdefault(_shape(instance), instance)
        series.append({**one, "instance": list(shapes.values())} if shapes else one)
    return {**study, "series": series} if series else study


def _shape(instance: JsonObject) -> str:
    if "extension" in instance:
        return repr(instance)
    return repr([(key, type(value).__name__) for key, value in instance.items()])
