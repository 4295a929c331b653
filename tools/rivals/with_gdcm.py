"""GDCM by its Python bindings: the wanted tags alone are read, or all where that fails."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Places = dict[str, list[dict[str, Any]]]


def make(way: str, places: Places) -> Callable[[str], dict[str, object]]:
    """Return what reads a file: its top level (`top`), or the items as well (`items`)."""
    return _Reader(import_module("gdcm"), places, with_items=way == "items").values


class _Reader:
    def __init__(self, gdcm: Any, places: Places, *, with_items: bool) -> None:  # noqa: ANN401
        self._gdcm = gdcm
        self._plain = {
            name: [(one["keyword"], _tag(gdcm, one)) for one in rows if one["vr"] != "SQ"]
            for name, rows in places.items()
        }
        self._sequences = {
            name: [(one["keyword"], _tag(gdcm, one), one["items"]) for one in rows if one["items"]]
            for name, rows in places.items()
        }
        if not with_items:
            self._sequences["object"] = []
        self._wanted = gdcm.TagSetType()
        for one in places["object"]:
            if with_items or one["vr"] != "SQ":
                self._wanted.insert(_tag(gdcm, one))

    def values(self, path: str) -> dict[str, object]:
        reader = self._opened(path)
        return self._values(reader.GetFile().GetDataSet(), "object")

    def _opened(self, path: str) -> Any:  # noqa: ANN401 - the rival's own
        reader = self._gdcm.Reader()
        reader.SetFileName(path)
        if not reader.ReadSelectedTags(self._wanted):  # so it ends for what is deflated
            reader = self._gdcm.Reader()
            reader.SetFileName(path)
            if not reader.Read():
                raise ValueError("not read")
        return reader

    def _values(self, data: Any, place: str) -> dict[str, object]:  # noqa: ANN401 - the rival's own
        found: dict[str, object] = {}
        for keyword, tag in self._plain[place]:
            if data.FindDataElement(tag):
                value = data.GetDataElement(tag).GetByteValue()
                found[keyword] = None if value is None else str(value)
        for keyword, tag, within in self._sequences[place]:
            if data.FindDataElement(tag):
                found[keyword] = self._items(data.GetDataElement(tag), within)
        return found

    def _items(self, element: Any, place: str) -> list[dict[str, object]]:  # noqa: ANN401
        # What something stands in is kept as long as that: nothing else keeps it alive.
        sequence = element.GetValueAsSQ()
        found = []
        for number in range(1, sequence.GetNumberOfItems() + 1):
            item = sequence.GetItem(number)
            data = item.GetNestedDataSet()
            found.append(self._values(data, place))
        return found


def _tag(gdcm: Any, row: dict[str, Any]) -> Any:  # noqa: ANN401 - the rival's own
    return gdcm.Tag(*divmod(row["tag"], 1 << 16))
