"""Extensions: built and read without losing a value."""

from __future__ import annotations

import base64
import re

from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table

DATA_ABSENT_REASON: str = table("urls.toml")["hl7"]["data_absent_reason"]
UNKNOWN = "unknown"
MASKED = "masked"
# FHIR datatypes, string: what XML 1.0 cannot hold, FHIR cannot hold.
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def address(canonical: str, name: str) -> str:
    """Return the URL of one of our extensions.

    Args:
        canonical: The site's canonical base.
        name: Key of `[extension]` in `mappings/urls.toml`.
    """
    suffix: str = table("urls.toml")["extension"][name]
    return f"{canonical}/StructureDefinition/{suffix}"


def profile_address(canonical: str, kind: str) -> str:
    """Return the URL of our profile of a resource type.

    Args:
        canonical: The site's canonical base.
        kind: Key of `[profile]` in `mappings/urls.toml`.
    """
    suffix: str = table("urls.toml")["profile"][kind]
    return f"{canonical}/StructureDefinition/{suffix}"


def system_address(canonical: str, name: str) -> str:
    """Return the URL of one of our code systems.

    Args:
        canonical: The site's canonical base.
        name: Key of `[system]` in `mappings/urls.toml`.
    """
    suffix: str = table("urls.toml")["system"][name]
    return f"{canonical}/CodeSystem/{suffix}"


def data_absent(reason: str) -> JsonObject:
    """Return the data-absent-reason extension."""
    return {"url": DATA_ABSENT_REASON, "valueCode": reason}


def absent_reason(element: JsonObject) -> str | None:
    """Return the data-absent-reason of an element, if it carries one."""
    for one in element.get("extension", ()):
        if one.get("url") == DATA_ABSENT_REASON:
            code: str = one["valueCode"]
            return code
    return None


def text_slot(url: str, text: str) -> JsonObject:
    """Return a slot that holds one text verbatim.

    An empty text becomes data-absent-reason `unknown`, a text with characters that a FHIR string
    must not hold (FHIR datatypes, string) becomes base64 of its UTF-8.
    """
    if not text:
        return absent_slot(url, UNKNOWN)
    if is_fhir_string(text):
        return {"url": url, "valueString": text}
    encoded = text.encode("utf-8", "surrogatepass")
    return {"url": url, "valueBase64Binary": base64.b64encode(encoded).decode("ascii")}


def absent_slot(url: str, reason: str) -> JsonObject:
    """Return a slot whose value is not there, with the reason."""
    return {"url": url, "extension": [data_absent(reason)]}


def slot_text(slot: JsonObject) -> str | None:
    """Return the text of a slot; empty for `unknown`, None for `masked`."""
    if "valueString" in slot:
        text: str = slot["valueString"]
        return text
    if "valueBase64Binary" in slot:
        return base64.b64decode(slot["valueBase64Binary"]).decode("utf-8", "surrogatepass")
    return None if absent_reason(slot) == MASKED else ""


def is_fhir_string(text: str) -> bool:
    """Whether the text can stand in a FHIR string: some ink, and no control character."""
    return bool(text.strip()) and all(
        character in "\t\r\n" or (character >= " " and not _NOT_XML.match(character))
        for character in text
    )


def named(extensions: object, url: str) -> list[JsonObject]:
    """Return the extensions of one URL, in order; what is no list of extensions has none."""
    listed = extensions if isinstance(extensions, list) else []
    return [one for one in listed if isinstance(one, dict) and one.get("url") == url]
