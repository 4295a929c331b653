"""One table of an access file, read strictly: each value of its form, each key known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deidfhir.errors import UsageError
from deidfhir.web.access.secret import Secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = "DEIDFHIR_"
_PLACES = ('{ file = "PATH" }', '{ env = "VARIABLE" }', '{ command = ["PROGRAM", "WORD"] }')


class Entries:
    """The entries of one table.

    Args:
        path: The access file.
        name: Of the table; empty for the top.
        content: Its entries.
    """

    def __init__(self, path: Path, name: str, content: Mapping[str, Any]) -> None:
        self._path, self._name, self._content = path, name, content
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def keys(self) -> list[str]:
        """Return the keys that are there."""
        return list(self._content)

    def is_table(self, key: str) -> bool:
        """Whether an entry is a table."""
        return isinstance(self._content.get(key), dict)

    def fault(self, key: str, problem: str) -> UsageError:
        """Return the error that names file, key and what it takes, never what it has."""
        where = ".".join(one for one in (self._name, key) if one)
        return UsageError("access-entry", path=self._path, key=where, problem=problem)

    def table(self, key: str) -> Entries:
        """Return a table below this one, empty if it is not there."""
        found = self._value(key, {})
        if not isinstance(found, dict):
            raise self.fault(key, f"takes a table: [{key}]")
        return Entries(self._path, ".".join(one for one in (self._name, key) if one), found)

    def text(self, key: str, otherwise: str | None = None) -> str:
        """Return a text of one line."""
        found = self._value(key, otherwise)
        if not isinstance(found, str) or not found.isprintable() or (key in self and not found):
            raise self.fault(key, "takes a text of one line")
        return found

    def choice(self, key: str, words: tuple[str, ...], otherwise: str | None = None) -> str:
        """Return one of some words."""
        found = self._value(key, otherwise)
        if found not in words:
            raise self.fault(key, f"takes {' or '.join(words)}")
        return str(found)

    def truth(self, key: str) -> bool:
        """Return true or false; false if it is not there."""
        found = self._value(key, otherwise=False)
        if not isinstance(found, bool):
            raise self.fault(key, "takes true or false")
        return found

    def scope(self, key: str, otherwise: str) -> str:
        """Return scopes as OAuth has them: separated by spaces."""
        found = self._value(key, otherwise.split())
        if not isinstance(found, list) or not all(
            isinstance(one, str) and one and one.isascii() and one.isprintable() and " " not in one
            for one in found
        ):
            raise self.fault(key, 'takes a list of scopes, such as ["system/Device.cruds"]')
        return " ".join(found)

    def file(self, key: str) -> str | None:
        """Return the path of a file, from the folder of the access file on, or None."""
        self._asked.append(key)
        return self._below(self.text(key)) if key in self else None

    def optional_secret(self, key: str) -> Secret | None:
        """Return the place of a secret, or None."""
        self._asked.append(key)
        return self.secret(key) if key in self else None

    def secret(self, key: str, *, command: bool = False) -> Secret:
        """Return the place of a secret.

        Args:
            key: The entry.
            command: Whether it may be what a command prints.
        """
        places = " or ".join(_PLACES if command else _PLACES[:2])
        wanted = f"takes {places}: no secret stands in this file"
        found = self._value(key, None)
        if not isinstance(found, dict) or len(found) != 1:
            raise self.fault(key, wanted)
        ((kind, source),) = found.items()
        if kind == "file" and isinstance(source, str) and source and "\0" not in source:
            return Secret("file", (self._below(source),))
        if kind == "env" and isinstance(source, str) and _VARIABLE.fullmatch(source):
            if source.startswith(_OURS):
                raise self.fault(key, f"takes a variable that does not begin with {_OURS}")
            return Secret("env", (source,))
        if command and kind == "command" and _is_command(source):
            return Secret("command", tuple(source))
        raise self.fault(key, wanted)

    def done(self) -> None:
        """Refuse keys that nobody asked for.

        Raises:
            UsageError: `access-entry`.
        """
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(dict.fromkeys(self._asked))
                raise self.fault(key, f"no such key here; known: {known}")

    def _value(self, key: str, otherwise: Any) -> Any:  # noqa: ANN401 - any TOML
        self._asked.append(key)
        return self._content.get(key, otherwise)

    def _below(self, name: str) -> str:
        return str(self._path.absolute().parent / Path(name).expanduser())


def _is_command(words: object) -> bool:
    return (
        isinstance(words, list)
        and bool(words)
        and all(isinstance(one, str) and one and "\0" not in one for one in words)
    )
