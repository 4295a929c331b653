"""HL7's validator, as a real server runs it: resources in, issues out."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

KNOWN_WARNINGS = {
    # What faithful input alone causes: each names the message's beginning, and why it stands.
    "No code provided, and a code should be provided from the value set": (
        "Modality is absent or undefined in the object: data-absent-reason stands instead (D23)"
    ),
    "value should not start or finish with whitespace": (
        "a method text begins or ends with blanks, and comes back verbatim (D4)"
    ),
    "The Coding provided (urn:ietf:rfc:3986#urn:oid:1.2.111.": (
        "the object's SOP Class UID was replaced by its de-identifier, and is no SOP class"
    ),
    "Unable to validate code urn:ietf:rfc:3986#": (
        "the same SOP class, or a URN Code Value that is no SOP class"
    ),
    "The Coding provided (http://dicom.nema.org/resources/ontology/DCM#": (
        "R4 binds the modality to CID 29, acquisition; the object's is in CID 33, or retired"
    ),
    "Unknown code '": "the object states a code that its coding scheme does not have",
    "Unknown code in the": "the object states a code that its coding scheme does not have",
    "The value '0001-01-01' is outside the range": "the object gives this date, a de-identifier's",
}
SERVERS_OWN = {
    # What the server says of a conformance resource because of what it ships itself.
    "Error generating Snapshot: Unable to resolve package id hl7.fhir.r": (
        "the server does not find its own core package when it is asked about an extension's "
        "definition; that it can use the definition is held by all other tests of the validator"
    ),
    "The source code '113112' is not valid in the code system": "the server's DCM for R4 is old",
    "The source code '109100' is not valid in the code system": "the server's DCM for R4 is old",
    "Source Code System http://dicom.nema.org/resources/ontology/DCM doesn't have all": (
        "the server's DCM for R5 has no codes of its own"
    ),
    "The terminology server null used for the CodeSystem http://dicom.nema.org": (
        "the same, in a server that asks no other"
    ),
}
EXPLAINED = {
    "No issues detected during validation": "there is nothing to tell",
    "Unknown extension http://hl7.org/fhir/StructureDefinition/targetPath": (
        "a standard extension that the server's copy of R4 does not ship"
    ),
}


@dataclass(frozen=True)
class Issue:
    """One issue of the validator.

    Args:
        severity: fatal, error, warning or information.
        text: What the validator says.
        where: The resource's type and id, and the element.
    """

    severity: str
    text: str
    where: str


def validated(url: str, resources: Iterable[dict[str, Any]]) -> list[Issue]:
    """Return all issues of some resources.

    Args:
        url: FHIR base URL of a server that holds the package.
        resources: Each is held against the profile that it claims.
    """
    with requests.Session() as session, ThreadPoolExecutor(2) as workers:

        def ask(resource: dict[str, Any]) -> list[Issue]:
            kind = resource["resourceType"]
            address = f"{url}/{kind}/$validate"
            outcome = session.post(address, json=resource, timeout=120).json()
            assert outcome["resourceType"] == "OperationOutcome"
            name = f"{kind}/{resource['id']}"
            return [
                Issue(one["severity"], one["diagnostics"], f"{name} {one.get('expression', '')}")
                for one in outcome["issue"]
            ]

        return [issue for issues in workers.map(ask, resources) for issue in issues]


def unexpected(issues: Iterable[Issue]) -> list[Issue]:
    """Return errors, warnings that are not known, and information that is not explained."""
    return [one for one in issues if not one.text.startswith(_allowed(one.severity))]


def unexpected_of_conformance(issues: Iterable[Issue]) -> list[Issue]:
    """Return what is wrong with conformance resources, and not with the server."""
    return [one for one in unexpected(issues) if not one.text.startswith(tuple(SERVERS_OWN))]


def _allowed(severity: str) -> tuple[str, ...]:
    known = {"warning": KNOWN_WARNINGS, "information": EXPLAINED}
    return tuple(known.get(severity, ()))
