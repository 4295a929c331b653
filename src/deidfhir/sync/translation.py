"""A resource with our ids ↔ the same resource with the server's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.web.outcome import objects

Rename = Callable[[str], str]
"""Relative reference → relative reference, or the address that stands for it in a transaction."""


def references(content: object) -> Iterator[str]:
    """Yield every relative reference in some JSON, without its version."""
    if isinstance(content, list):
        for one in content:
            yield from references(one)
    elif isinstance(content, dict):
        for key, one in content.items():
            if key == "reference" and isinstance(one, str):
                name = one.split("/_history/")[0]
                if name.count("/") == 1 and ":" not in name:
                    yield name
            else:
                yield from references(one)


def renamed(content: Any, rename: Rename) -> Any:  # noqa: ANN401 - any JSON
    """Return some JSON with its relative references renamed.

    Args:
        content: JSON.
        rename: Gives the new name, or the same where there is none.
    """
    if isinstance(content, list):
        return [renamed(one, rename) for one in content]
    if isinstance(content, dict):
        return {
            key: _renamed(one, rename)
            if key == "reference" and isinstance(one, str)
            else renamed(one, rename)
            for key, one in content.items()
        }
    return content


def _renamed(text: str, rename: Rename) -> str:
    name, history, version = text.partition("/_history/")
    new = rename(name)
    return text if new == name else new + history + version


def with_id(resource: JsonObject, identity: str | None) -> JsonObject:
    """Return a resource with another id, in FHIR's order of elements; None takes it away."""
    rest = {key: one for key, one in resource.items() if key not in ("resourceType", "id")}
    own = {} if identity is None else {"id": identity}
    return {"resourceType": resource["resourceType"], **own, **rest}


def with_tag(resource: JsonObject, tag: JsonObject) -> JsonObject:
    """Return a resource with one tag more."""
    meta = dict(resource.get("meta") or {})
    meta["tag"] = [*meta.get("tag", ()), tag]
    return with_meta(resource, meta)


def without_tags(resource: JsonObject, system: str) -> JsonObject:
    """Return a resource without the tags of one system."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return resource
    kept = [one for one in objects(meta.get("tag")) if one.get("system") != system]
    rest = {key: one for key, one in meta.items() if key != "tag"}
    return with_meta(resource, {**rest, "tag": kept} if kept else rest)


def with_meta(resource: JsonObject, meta: JsonObject) -> JsonObject:
    """Return a resource with another meta, in FHIR's order of elements."""
    order: Iterable[str] = ("resourceType", "id")
    first = {key: resource[key] for key in order if key in resource}
    rest = {key: one for key, one in resource.items() if key not in (*order, "meta")}
    return {**first, **({"meta": meta} if meta else {}), **rest}
