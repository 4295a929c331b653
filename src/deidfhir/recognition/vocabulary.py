"""The tools' entries: ours in `mappings/tools`, with a site's that add to or override them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from deidfhir.errors import UsageError
from deidfhir.recognition.entry import Entry, EntryFault, entry_of
from deidfhir.tables import mappings_folder


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All entries, by id.

    Args:
        entries: Entry id → entry, sorted.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def tools(self) -> tuple[Entry, ...]:
        """The entries that name a tool."""
        return tuple(one for one in self.entries.values() if one.is_tool)


@cache
def load_vocabulary(site: str = "") -> Vocabulary:
    """Return our entries, added to and overridden by those of a site's folder.

    Args:
        site: A folder of TOML files; empty for none. An entry of the same id replaces ours.

    Raises:
        UsageError: `tools-folder`, `tools-file` or `tools-entry`, which names file, entry and key.
    """
    entries = _folder(mappings_folder() / "tools")
    if site:
        entries |= _folder(Path(site))
    return Vocabulary(dict(sorted(entries.items())))


def _folder(folder: Path) -> dict[str, Entry]:
    try:
        files = sorted(one for one in folder.iterdir() if one.suffix == ".toml")
    except (OSError, ValueError) as error:
        raise UsageError("tools-folder", path=folder) from error
    entries: dict[str, Entry] = {}
    for file in files:
        for name, one in _file(file).items():
            if name in entries:
                raise UsageError(
                    "tools-entry",
                    path=file,
                    entry=name,
                    key=name,
                    problem="stands in another file, too",
                )
            entries[name] = one
    return entries


def _file(path: Path) -> dict[str, Entry]:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("tools-file", path=path) from error
    entries = {}
    for name, rows in content.items():
        try:
            entries[name] = entry_of(name, rows)
        except EntryFault as fault:
            raise UsageError(
                "tools-entry", path=path, entry=name, key=fault.key, problem=fault.problem
            ) from fault
    return entries
