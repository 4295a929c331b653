"""fastdicom: a Rust reader; values by keyword, items as data sets that list their elements."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def make(way: str, places: dict[str, list[dict[str, Any]]]) -> Callable[[str], dict[str, object]]:
    """Return what reads a file: its top level (`top`), or the items as well (`items`)."""
    read = import_module("fastdicom").dcmread
    keywords = [one["keyword"] for one in places["object"] if one["vr"] != "SQ"]
    sequences = [(one["keyword"], one["items"]) for one in places["object"] if one["items"]]
    known = {
        name: {divmod(one["tag"], 1 << 16): (one["keyword"], one["items"]) for one in rows}
        for name, rows in places.items()
    }

    def item_of(data: Any, place: str) -> dict[str, object]:  # noqa: ANN401 - the rival's own
        found: dict[str, object] = {}
        wanted = known[place]
        for tag, value in data.items():
            if tag in wanted:
                keyword, within = wanted[tag]
                found[keyword] = [item_of(one, within) for one in value] if within else value
        return found

    def top(path: str) -> dict[str, object]:
        get = read(path, stop_before_pixels=True).get
        return {keyword: get(keyword) for keyword in keywords}

    def items(path: str) -> dict[str, object]:
        get = read(path, stop_before_pixels=True).get
        found = {keyword: get(keyword) for keyword in keywords}
        for keyword, within in sequences:
            many = get(keyword)
            if many is not None:
                found[keyword] = [item_of(one, within) for one in many]
        return found

    return top if way == "top" else items
