"""What every conformance resource starts with."""

from __future__ import annotations

from dataclasses import dataclass

from deidfhir.fhir.extensions import address, profile_address, system_address
from deidfhir.fhir.narrative import narrative
from deidfhir.fhir.types import JsonObject
from deidfhir.fhir.versions import FhirName, fhir_version
from deidfhir.tables import table
from deidfhir.version import __version__

DATE = "2026-11-24"  # of the content; never the clock, or no two packages would be the same
PUBLISHER = "deidfhir"


@dataclass(frozen=True, slots=True)
class Publication:
    """For whom the package is made.

    Args:
        canonical: Base of all addresses of ours.
        fhir: `R4`, `R4B` or `R5`.
    """

    canonical: str
    fhir: FhirName

    @property
    def fhir_version(self) -> str:
        """The number of the FHIR version."""
        return fhir_version(self.fhir).number

    @property
    def is_r5(self) -> bool:
        """Whether the resources have R5's elements."""
        return fhir_version(self.fhir).codeable

    def extension(self, key: str) -> str:
        """Return the address of one of our extensions."""
        return address(self.canonical, key)

    def profile(self, kind: str) -> str:
        """Return the address of our profile of a resource type."""
        return profile_address(self.canonical, kind)

    def system(self, key: str) -> str:
        """Return the address of one of our code systems."""
        return system_address(self.canonical, key)

    def value_set(self, key: str) -> str:
        """Return the address of the value set of one of our code systems."""
        return self.system(key).replace("/CodeSystem/", "/ValueSet/")

    def filled(self, expression: str) -> str:
        """Return an expression with our addresses in the places of their keys."""
        for key in table("urls.toml")["extension"]:
            expression = expression.replace(f"{{{key}}}", self.extension(key))
        for key, url in table("urls.toml")["hl7"].items():
            expression = expression.replace(f"{{hl7.{key}}}", url)
        expression = expression.replace(
            "{dcm}", table("crosswalk/coding-scheme.toml")["system"]["DCM"]
        )
        return expression.replace("{model}", "displayName" if self.is_r5 else "deviceName")

    def invariant(self, row: JsonObject) -> JsonObject:
        """Return a constraint of an element.

        Args:
            row: Its key, text and FHIRPath expression.
        """
        return {
            "key": row["key"],
            "severity": "error",
            "human": row["text"],
            "expression": self.filled(row["expression"]),
        }

    def resource(self, kind: str, url: str, row: JsonObject) -> JsonObject:
        """Return the head of a conformance resource.

        Args:
            kind: Its resource type.
            url: Its address, whose last part is its id.
            row: Its row of `mappings/package`, with name, title and description.
        """
        return {
            "resourceType": kind,
            "id": url.rsplit("/", 1)[1],
            "text": narrative(f"{row.get('title', row['name'])}: {row['description']}"),
            "url": url,
            "version": __version__,
            "name": row["name"],
            **({"title": row["title"]} if "title" in row else {}),
            "status": "active",
            "experimental": False,
            "date": DATE,
            "publisher": PUBLISHER,
            "description": row["description"],
        }
