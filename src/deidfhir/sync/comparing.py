"""Resources as far as they are ours: what is compared with what a target holds (D15)."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from html import unescape
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.web.numbers import encoded

HISTORY = "/_history/"
"""Stands before the version in a reference."""

RECORDED = frozenset({"recorded", "_recorded"})

_in_order = partial(encoded, in_order=True)


def comparable(resource: JsonObject) -> str:
    """Return what a resource says, without what the server adds and `recorded`, in one form.

    Args:
        resource: As stated, or as a target holds it.
    """
    kept = {key: value for key, value in resource.items() if key != "meta" and key not in RECORDED}
    if isinstance(kept.get("text"), dict):
        # Servers write the same characters of a narrative in other forms.
        kept["text"] = " ".join(unescape(str(kept["text"].get("div", ""))).split())
    meta = resource.get("meta")
    for name in ("security", "tag", "profile"):
        labels = meta.get(name) if isinstance(meta, dict) else None
        if isinstance(labels, list) and labels:
            kept[f"meta.{name}"] = sorted(labels, key=_in_order)
    text = _in_order(kept)
    # Few references name a version, and to look for one is much faster than to go through all.
    return _in_order(_unversioned(kept)) if HISTORY in text else text


def stands(resource: JsonObject, held: JsonObject | None) -> bool:
    """Whether a target holds a resource as it is stated.

    Args:
        resource: As stated.
        held: What the target holds in its place, if anything.
    """
    return held is not None and comparable(resource) == comparable(held)


def digest(*texts: str) -> str:
    """Return SHA-256 over some texts.

    Args:
        texts: In an order that says something, too; none has a line break.
    """
    # A server may give half a pair of surrogates as a version.
    return sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _unversioned(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_unversioned(one) for one in value]
    if isinstance(value, dict):
        return {
            key: one.split(HISTORY)[0]
            if key == "reference" and isinstance(one, str)
            else _unversioned(one)
            for key, one in value.items()
        }
    return value
