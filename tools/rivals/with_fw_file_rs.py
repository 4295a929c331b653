"""fw-file-rs: a Rust reader; typed values without sequences, or a flat list of texts with them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def make(way: str, places: dict[str, list[dict[str, Any]]]) -> Callable[[str], dict[str, object]]:
    """Return what reads a file: its top level (`top`), or the items as well (`items`)."""
    library = import_module("fw_file_rs").dcm
    context = library.Context().include_tags(
        [one["keyword"] for one in places["object"] if one["vr"] != "SQ"]
    )
    keywords = {one["keyword"] for one in places["object"]}

    def top(path: str) -> dict[str, object]:
        found: dict[str, object] = context.parse_header(context.read_until_pixels(path))
        return found

    def items(path: str) -> dict[str, object]:
        return {
            one["path"]: one["value"]
            for one in library.parse_header_full(library.read_until_pixels(path))
            if not one["is_sq"] and one["path"].partition(".")[0] in keywords
        }

    return top if way == "top" else items
