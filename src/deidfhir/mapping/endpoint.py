"""Where the images are: one Endpoint for the site's DICOMweb root, if it has one."""

from __future__ import annotations

from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.tables import table

_CONNECTION = {"code": "dicom-wado-rs", "display": "DICOM WADO-RS"}
_MIME_TYPE = "application/dicom"


def endpoint_of(context: MappingContext) -> JsonObject | None:
    """Return the Endpoint of the setting `dicomweb_root`, or None without one.

    It holds nothing of any object, so every study that is stated may refer to it.

    Args:
        context: The mapping's.
    """
    root = context.settings.dicomweb_root
    if not root:
        return None
    system = table("urls.toml")["hl7"]["connection_type"]
    resource: JsonObject = {"resourceType": "Endpoint", "id": context.namer.endpoint(root)}
    if context.settings.narrative:
        resource["text"] = narrative("The DICOMweb root from which the images can be had.")
    resource["status"] = "active"
    resource.update(context.version.endpoint({"system": system, **_CONNECTION}, _MIME_TYPE))
    resource["address"] = root
    return resource
