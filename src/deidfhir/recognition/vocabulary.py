"""The tools' entries: ours in `mappings/tools`, with a site's that add to or override them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
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
        digest: Changes with any of them.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    digest: str = ""

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
    texts = sha256()
    entries = _folder(mappings_folder() / "tools", texts.update)
    if site:
        entries |= _folder(Path(site), texts.update)
    return Vocabulary(dict(sorted(entries.items())), texts.hexdigest()[:16])


def _folder(folder: Path, note: Callable[[bytes], object]) -> dict[str, Entry]:
    try:
        files = sorted(one for one in folder.iterdir() if one.suffix == ".toml")
    except (OSError, ValueError) as error:
        raise UsageError("tools-folder", path=folder) from error
    entries: dict[str, Entry] = {}
    for file in files:
        for name, one in _file(file, note).items():
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


def _file(path: Path, note: Callable[[bytes], object]) -> dict[str, Entry]:
    try:
        text = path.read_bytes()
        content: dict[str, Any] = tomllib.loads(text.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("tools-file", path=path) from error
    note(text)
    entries = {}
    for name, rows in content.items():
        try:
            entries[name] = entry_of(name, rows)
        except EntryFault as fault:
            raise UsageError(
                "tools-entry", path=path, entry=name, key=fault.key, problem=fault.problem
            ) from fault
    return entries
