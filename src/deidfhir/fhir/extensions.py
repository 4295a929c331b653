"""Extensions: built and read without losing a value."""

from __future__ import annotations

import base64
import re
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table

DATA_ABSENT_REASON: str = table("urls.toml")["hl7"]["data_absent_reason"]
UNKNOWN = "unknown"
MASKED = "masked"
# FHIR datatypes, string: what XML 1.0 cannot hold, FHIR cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 1024 * 1024  # FHIR datatypes, string


class MalformedError(ValueError):
    """An element does not have the form that the mapping gives it."""


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


def absent_reason(slot: JsonObject) -> str | None:
    """Return the data-absent-reason of a slot, if that is all it holds.

    Raises:
        MalformedError: Something stands beside it, or it is none that the mapping gives.
    """
    found = named(slot.get("extension"), DATA_ABSENT_REASON)
    if not found:
        return None
    reasons = [data_absent(reason) for reason in (UNKNOWN, MASKED)]
    if slot["extension"] not in ([reason] for reason in reasons) or _content(slot) != {"extension"}:
        raise MalformedError
    code: str = found[0]["valueCode"]
    return code


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
    """Return the text of a slot; empty for `unknown`, None for `masked`.

    Raises:
        MalformedError: It is none that `text_slot` or `absent_slot` makes.
    """
    reason = absent_reason(slot)
    if reason is not None:
        return None if reason == MASKED else ""
    (name, value), *more = [(key, slot[key]) for key in sorted(_content(slot))] or [("", None)]
    if not more and name == "valueString" and value and isinstance(value, str):
        return value
    if not more and name == "valueBase64Binary" and isinstance(value, str):
        decoded = _decoded(value)
        if decoded is not None:
            return decoded
    raise MalformedError


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "surrogatepass")
    except ValueError:
        return None


def _content(slot: JsonObject) -> set[str]:
    return set(slot) - {"url", "id"}


def is_fhir_string(text: str) -> bool:
    """Whether the text can stand in a FHIR string.

    That is: some ink, no control character, and no more characters than FHIR allows.
    """
    return bool(text.strip()) and len(text) <= _LONGEST and not _NOT_XML.search(text)


def without_what_xml_cannot_hold(text: str) -> str:
    """Return a text without the characters for which it would be no FHIR string."""
    return _NOT_XML.sub("", text)


def nested(element: JsonObject) -> list[JsonObject]:
    """Return the extensions of an element, in order.

    Raises:
        MalformedError: They are no list of objects that each name their URL.
    """
    listed: Any = element.get("extension", [])
    if not isinstance(listed, list):
        raise MalformedError
    if not all(isinstance(one, dict) and isinstance(one.get("url"), str) for one in listed):
        raise MalformedError
    return listed


def named(extensions: object, url: str) -> list[JsonObject]:
    """Return the extensions of one URL, in order; what is no list of extensions has none."""
    listed = extensions if isinstance(extensions, list) else []
    return [one for one in listed if isinstance(one, dict) and one.get("url") == url]
