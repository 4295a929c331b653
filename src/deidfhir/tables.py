"""The tables of `mappings/`, found in a wheel or a checkout and read once."""

from __future__ import annotations

import json
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any


class InstallationError(Exception):
    """A file that belongs to the installed package is missing; install the package again."""

    def __init__(self) -> None:
        super().__init__("deidfhir is installed without its tables: install the package again")


@lru_cache(maxsize=1)
def mappings_folder() -> Path:
    """Return the folder that holds the tables.

    A wheel carries them inside the package, a checkout beside `src`.

    Raises:
        InstallationError: The package was installed without its tables.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "mappings", package.parent.parent / "mappings"):
        if (folder / "attributes.toml").is_file():
            return folder
    raise InstallationError


@cache
def table(name: str) -> dict[str, Any]:
    """Return one table of `mappings/`.

    Args:
        name: Path below `mappings/`, with its ending (`.toml` or `.json`).

    Raises:
        InstallationError: There is no such table.
    """
    path = mappings_folder() / name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InstallationError from error
    loaded: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    return loaded
