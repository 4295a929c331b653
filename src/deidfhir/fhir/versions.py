"""The differences between FHIR R4, R4B and R5 that touch us, as one table.

R4 and R4B have the same elements for ImagingStudy, Provenance, Device; one writer serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table

FhirName = Literal["R4", "R4B", "R5"]


@dataclass(frozen=True, slots=True)
class FhirVersion:
    """One FHIR version, as far as it differs from the others for us.

    Args:
        name: As on the command line.
        number: CapabilityStatement.fhirVersion.
        models: The package of fhir.resources that checks it; it ships none for R4, whose elements
            are those of R4B for our resources.
        recorded_required: Whether Provenance.recorded is 1..1.
        codeable: Whether ImagingStudy.modality and Device.type have R5's types.
        activity_systems: Systems of Provenance.activity's codings, in order (D12).
    """

    name: FhirName
    number: str
    models: str
    recorded_required: bool
    codeable: bool
    activity_systems: tuple[str, ...]

    def modality(self, coding: JsonObject) -> JsonObject:
        """Return ImagingStudy.modality: Coding in R4, CodeableConcept in R5.

        Args:
            coding: The Coding, or an element that only says why there is none.
        """
        return {"coding": [coding]} if self.codeable and "code" in coding else coding

    def modality_coding(self, element: JsonObject) -> JsonObject:
        """Return the Coding of an ImagingStudy.modality."""
        coding: JsonObject = element["coding"][0] if "coding" in element else element
        return coding

    def body_site(self, text: str) -> JsonObject:
        """Return ImagingStudy.series.bodySite for a text without a code."""
        return {"concept": {"text": text}} if self.codeable else {"display": text}

    def device_type(self, concept: JsonObject) -> object:
        """Return Device.type: one CodeableConcept in R4, a list in R5."""
        return [concept] if self.codeable else concept

    def device_model(self, name: str) -> JsonObject:
        """Return the elements that carry Manufacturer's Model Name."""
        if self.codeable:
            return {"displayName": name}
        return {"deviceName": [{"name": name, "type": "model-name"}]}

    def endpoint(self, connection: JsonObject, mime_type: str) -> JsonObject:
        """Return the elements of an Endpoint that say how to get what.

        Args:
            connection: Coding of the connection's type.
            mime_type: What is to be had there.
        """
        if self.codeable:
            return {
                "connectionType": [{"coding": [connection]}],
                "payload": [{"mimeType": [mime_type]}],
            }
        system = table("urls.toml")["hl7"]["payload_type"]
        payload = {"coding": [{"system": system, "code": "any", "display": "Any"}]}
        return {
            "connectionType": connection,
            "payloadType": [payload],
            "payloadMimeType": [mime_type],
        }


def fhir_version(name: FhirName) -> FhirVersion:
    """Return a version by its name.

    Args:
        name: `R4`, `R4B` or `R5`.
    """
    return _VERSIONS[name]


def _versions() -> dict[FhirName, FhirVersion]:
    hl7 = table("urls.toml")["hl7"]
    deid, lifecycle = hl7["act_code"], hl7["lifecycle"]
    return {
        "R4": FhirVersion("R4", "4.0.1", "fhir.resources.R4B", True, False, (deid,)),  # noqa: FBT003
        "R4B": FhirVersion("R4B", "4.3.0", "fhir.resources.R4B", True, False, (deid,)),  # noqa: FBT003
        "R5": FhirVersion("R5", "5.0.0", "fhir.resources", False, True, (lifecycle, deid)),  # noqa: FBT003
    }


_VERSIONS = _versions()
FHIR_NAMES: tuple[FhirName, ...] = tuple(_VERSIONS)
