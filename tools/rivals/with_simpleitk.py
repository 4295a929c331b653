"""SimpleITK: an image reader that lists the header's text; sequences are not in the list."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def make(_way: str, places: dict[str, list[dict[str, Any]]]) -> Callable[[str], dict[str, object]]:
    """Return what reads a file's top level."""
    library = import_module("SimpleITK")
    library.ProcessObject.GlobalWarningDisplayOff()
    keys = [
        (one["keyword"], "{:04x}|{:04x}".format(*divmod(one["tag"], 1 << 16)))
        for one in places["object"]
        if one["vr"] != "SQ"
    ]

    def top(path: str) -> dict[str, object]:
        reader = library.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(path)
        reader.ReadImageInformation()
        has, get = reader.HasMetaDataKey, reader.GetMetaData
        return {keyword: get(key) for keyword, key in keys if has(key)}

    return top
