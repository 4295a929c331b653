"""Bundles → the resources in them, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deidfhir.fhir.types import JsonObject

OnUnreadable = Callable[[str], object]
"""Called with the place of what cannot be read back."""

_BUNDLES_DEEP = 8  # answers to a batch are Bundles in a Bundle; nobody goes deeper


def unpacked(resource: object, tell: OnUnreadable) -> Iterator[tuple[str, JsonObject]]:
    """Yield the resources of a Bundle, or the one that is none, with their places.

    Args:
        resource: As it was read.
        tell: Told of what is no resource.
    """
    yield from _within(resource, "", tell, _BUNDLES_DEEP)


def _within(
    resource: object, place: str, tell: OnUnreadable, deeper: int
) -> Iterator[tuple[str, JsonObject]]:
    """Yield the resources of a Bundle, or the one that is none, with their places."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(resource, dict) or not isinstance(kind, str) or kind == "Parameters":
        tell(place)
    elif kind != "Bundle":
        yield place, resource
    else:
        entries = resource.get("entry", [])
        if not isinstance(entries, list) or not deeper:
            tell(f"{place}entry")
            return
        for number, entry in enumerate(entries):
            within = f"{place}entry[{number}]"
            if not isinstance(entry, dict):
                tell(within)
            elif "resource" in entry:  # what was deleted has none
                yield from _within(entry["resource"], f"{within}.resource.", tell, deeper - 1)
