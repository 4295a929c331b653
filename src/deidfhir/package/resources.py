"""All conformance resources of one FHIR version, as they are published."""

from __future__ import annotations

from deidfhir.config import Settings
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName
from deidfhir.package.base import Publication
from deidfhir.package.extensions import extension_definitions
from deidfhir.package.operations import operation_definitions
from deidfhir.package.profiles import profile_definitions
from deidfhir.package.searching import capability_statement, search_parameters
from deidfhir.package.terminology import terminology


def conformance_resources(settings: Settings, fhir: FhirName) -> list[JsonObject]:
    """Return the resources of the package, each after those it refers to.

    Args:
        settings: The site's; `canonical` is the base of all addresses.
        fhir: `R4`, `R4B` or `R5`.
    """
    publication = Publication(settings.canonical, fhir)
    return [
        *terminology(publication),
        *extension_definitions(publication),
        *profile_definitions(publication),
        *search_parameters(publication),
        *operation_definitions(publication),
        capability_statement(publication),
    ]
