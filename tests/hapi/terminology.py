"""Code systems and value sets that HL7 binds and nobody publishes, for the validator's server.

They are made from pydicom's copy of PS3.6 and PS3.16. FHIR binds them by the addresses of pages of
the standard; without them every modality and SOP class would be a warning.
"""

from __future__ import annotations

from typing import Any

import requests
from pydicom._uid_dict import UID_dictionary
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes

from deidfhir.tables import table

DCM = "http://dicom.nema.org/resources/ontology/DCM"
URI = "urn:ietf:rfc:3986"
_PAGES = "http://dicom.nema.org/medical/dicom/current/output/chtml"
CONTEXT_GROUPS = (29, 33, 7005, 7050)


def terminology() -> list[dict[str, Any]]:
    """Return what is to be put on a server, R4 and R5 alike."""
    groups = [_context_group(one) for one in CONTEXT_GROUPS]
    return [_dcm(), _uris(), *groups, _sop_classes()]


def install(url: str, resources: list[dict[str, Any]]) -> None:
    """Put resources on a server, each at its own id.

    Args:
        url: FHIR base URL.
        resources: In the order in which they are put.
    """
    with requests.Session() as session:
        for one in resources:
            address = f"{url}/{one['resourceType']}/{one['id']}"
            answer = session.put(address, json=one, timeout=120)
            assert answer.ok, (address, answer.status_code, answer.text[:500])


def _dcm() -> dict[str, Any]:
    meanings: dict[str, str] = {}
    every: dict[str, Any] = concepts["DCM"]
    for versions in every.values():
        for code, (meaning, _) in versions.items():
            meanings[code] = meaning
    for group in table("generated/dicom-codes.json").values():
        meanings |= group
    return _code_system("test-dcm", DCM, meanings)


def _uris() -> dict[str, Any]:
    """Return the SOP classes as a code system: the validator knows no URIs as codes."""
    return _code_system(
        "test-uris", URI, {f"urn:oid:{uid}": name for uid, name in _sop_class_names().items()}
    )


def _code_system(identity: str, url: str, meanings: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "id": identity,
        "url": url,
        "version": "test",
        "name": "".join(part.capitalize() for part in identity.split("-")),
        "status": "active",
        "content": "complete",
        "concept": [{"code": code, "display": text} for code, text in sorted(meanings.items())],
    }


def _context_group(number: int) -> dict[str, Any]:
    found = getattr(codes, f"cid{number}").concepts.values()
    members = sorted(one.value for one in found if one.scheme_designator == "DCM")
    return _value_set(
        f"test-cid-{number}",
        f"{_PAGES}/part16/sect_CID_{number}.html",
        DCM,
        members,
    )


def _sop_class_names() -> dict[str, str]:
    return {
        uid: name
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and ".5.1.4." in uid
    }


def _sop_classes() -> dict[str, Any]:
    members = sorted(f"urn:oid:{uid}" for uid in _sop_class_names())
    return _value_set(
        "test-sop-classes", f"{_PAGES}/part04/sect_B.5.html#table_B.5-1", URI, members
    )


def _value_set(identity: str, url: str, system: str, members: list[str]) -> dict[str, Any]:
    return {
        "resourceType": "ValueSet",
        "id": identity,
        "url": url,
        "name": "".join(part.capitalize() for part in identity.split("-")),
        "status": "active",
        "compose": {"include": [{"system": system, "concept": [{"code": one} for one in members]}]},
    }
