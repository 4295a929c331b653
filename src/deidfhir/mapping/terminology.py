"""Codes → FHIR Codings: systems from the crosswalk, displays from the standard (D22)."""

from __future__ import annotations

import re

from deidfhir.fhir.extensions import is_fhir_string, system_address
from deidfhir.fhir.types import JsonObject
from deidfhir.model.record import Item
from deidfhir.tables import table

_CODE = re.compile(r"[^\s]+( [^\s]+)*")  # FHIR datatypes, code
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")  # RFC 3986 4.3


def dcm() -> str:
    """Return the system of the DICOM Controlled Terminology."""
    system: str = table("crosswalk/coding-scheme.toml")["system"]["DCM"]
    return system


def standard_meaning(code: str) -> str | None:
    """Return PS3.16's meaning of a DCM code of the context groups that we use."""
    groups: dict[str, dict[str, str]] = table("generated/dicom-codes.json")
    return next((codes[code] for codes in groups.values() if code in codes), None)


def coding_of(item: Item, schemes: tuple[tuple[str, str], ...] = ()) -> JsonObject | None:
    """Return the Coding of a Code Sequence item, or None where no system is known.

    Args:
        item: The item, PS3.3 8.8.
        schemes: Pairs of designator and UID that the object itself gives (0008,0110).
    """
    code = item.first("URNCodeValue")
    system: str | None = table("urls.toml")["hl7"]["uri"]
    if code and not _ADDRESS.fullmatch(code):
        return None
    if not code:
        code = item.first("CodeValue") or item.first("LongCodeValue")
        system = _system(item.first("CodingSchemeDesignator"), dict(schemes))
    if system is None or not _CODE.fullmatch(code) or not is_fhir_string(code):
        return None
    coding: JsonObject = {"system": system, "code": code}
    if system == dcm() and standard_meaning(code) == item.first("CodeMeaning"):
        coding["display"] = item.first("CodeMeaning")
    return coding


def _system(designator: str, schemes: dict[str, str]) -> str | None:
    known: dict[str, str] = table("crosswalk/coding-scheme.toml")["system"]
    without: list[str] = table("crosswalk/coding-scheme.toml")["without"]["designators"]
    if designator.upper() in known:
        return known[designator.upper()]
    if designator.upper() in without:
        return None
    return f"urn:oid:{schemes[designator]}" if designator in schemes else None


def own_schemes(schemes: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of designator and UID that give a Coding its system.

    Args:
        schemes: As the object gives them (0008,0110).
    """
    return tuple(
        (name, uid)
        for name, uid in schemes
        if _system(name, {}) is None and _system(name, {name: uid}) is not None
    )


def is_defined_modality(term: str) -> bool:
    """Whether a Modality is a defined term: CID 33, or retired (PS3.3 C.7.3.1.1.1)."""
    retired: list[str] = table("crosswalk/modality.toml")["retired"]
    return term in table("generated/dicom-codes.json")["CID 33"] or term in retired


def term_coding(code: str, canonical: str) -> JsonObject:
    """Return the Coding of a regulatory term (`mappings/regulatory-terms.toml`).

    Args:
        code: Code of the term.
        canonical: The site's canonical base.
    """
    display: str = table("regulatory-terms.toml")["term"][code]["display"]
    return {"system": system_address(canonical, "term"), "code": code, "display": display}


def policy_of(code: str) -> str | None:
    """Return the address that stands for a method code in Provenance.policy (D13)."""
    row: dict[str, str] = table("crosswalk/deid-method.toml").get(code, {})
    return row.get("policy")
