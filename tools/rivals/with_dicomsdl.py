"""dicomsdl: a C++ reader; values by one call for many keywords, sequences item by item."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_PIXELS = 0x7FE00000


def make(way: str, places: dict[str, list[dict[str, Any]]]) -> Callable[[str], dict[str, object]]:
    """Return what reads a file: its top level (`top`), or the items as well (`items`)."""
    read = import_module("dicomsdl").open_file
    plain = {
        name: [one["keyword"] for one in rows if one["vr"] != "SQ"] for name, rows in places.items()
    }
    sequences = {
        name: [(one["keyword"], one["items"]) for one in rows if one["items"]]
        for name, rows in places.items()
    }

    def values(data: Any, place: str) -> dict[str, object]:  # noqa: ANN401 - the rival's own
        found = dict(zip(plain[place], data.getValues(plain[place]), strict=True))
        for keyword, within in sequences[place]:
            items = data.getDataElement(keyword).toSequence()
            if items is not None:
                found[keyword] = [values(item, within) for item in items]
        return found

    def top(path: str) -> dict[str, object]:
        data = read(path, load_until=_PIXELS)
        keywords = plain["object"]
        return dict(zip(keywords, data.getValues(keywords), strict=True))

    def items(path: str) -> dict[str, object]:
        return values(read(path, load_until=_PIXELS), "object")

    return top if way == "top" else items
