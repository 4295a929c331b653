"""The events of runs as a file of JSON lines, one event a line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from deidfhir.errors import FatalError
from deidfhir.sync.own import open_own_file
from deidfhir.tables import table
from deidfhir.web.events import Field


class EventLog:
    """A file that events are added to, its owner's alone.

    Each line is one write to the end of the file: a process that dies leaves whole lines, and
    several processes may share a file.

    Args:
        path: The file.
        now: Gives the seconds since the epoch.

    Raises:
        FatalError: `file-unwritable`.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path, self._now = path, now
        self.error: FatalError | None = None
        try:
            self._file = open_own_file(path, os.O_WRONLY | os.O_APPEND)
        except (OSError, ValueError) as error:
            raise FatalError("file-unwritable", path=path) from error

    def __call__(self, event: str, fields: Mapping[str, Field]) -> None:
        """Add an event; when that fails, nothing more is added, and the run goes on.

        Args:
            event: Key of `mappings/events.toml`.
            fields: What is known of it; what may not be written is left out.
        """
        if self.error is not None or event not in table("events.toml")["event"]:
            return
        time = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        told = {"time": time, "event": event, **_written(event, fields)}
        line = json.dumps(told, ensure_ascii=False) + "\n"
        try:
            os.write(self._file, line.encode("utf-8", "backslashreplace"))
        except OSError:
            self.error = FatalError("file-unwritable", path=self.path)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _written(event: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return the fields that may be written, in the table's order."""
    known = ("run", *table("events.toml")["event"][event]["fields"])
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name in known
        if (value := fields.get(name)) is not None and _has_form(name, value)
    }


def _has_form(name: str, value: Field) -> bool:
    form = table("events.toml")["field"][name]
    if form == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if form == "truth":
        return isinstance(value, bool)
    words = value if isinstance(value, tuple) else (value,)
    return all(isinstance(one, str) and _pattern(form).fullmatch(one) for one in words)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(form)
