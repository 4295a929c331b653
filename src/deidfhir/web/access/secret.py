"""Secrets: where each comes from, read when it is used, held in no object and shown nowhere."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deidfhir.errors import FatalError

_COMMAND_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Secret:
    """The place of a secret; the secret itself is never an attribute of anything.

    Args:
        kind: Whether it is in a file, in an environment variable, or what a command prints.
        source: The file, the variable, or the command's words.
    """

    kind: Literal["file", "env", "command"]
    source: tuple[str, ...]

    @property
    def origin(self) -> str:
        """The place in words, for messages."""
        if self.kind == "file":
            return f"the file {self.source[0]}"
        if self.kind == "env":
            return f"the variable {self.source[0]}"
        # Its other words may be secret.
        return f"the command {Path(self.source[0]).name}"

    def reveal(self) -> str:
        """Return the secret, without the end of its last line.

        Raises:
            FatalError: `secret-unreadable`: it is not there, empty or no text.
        """
        text = self._read().rstrip("\r\n")
        if not text or "\0" in text:
            raise self._fault("empty" if not text else "no text")
        return text

    def _read(self) -> str:
        if self.kind == "env":
            if self.source[0] not in os.environ:
                raise self._fault("not set")
            return os.environ[self.source[0]]
        # What an error of a library quotes is let go before ours is raised.
        content = self._printed() if self.kind == "command" else self._content()
        try:
            return content.decode("utf-8")
        except ValueError:
            problem = "no UTF-8"
        raise self._fault(problem)

    def _content(self) -> bytes:
        try:
            return Path(self.source[0]).read_bytes()
        except OSError as error:
            problem = os.strerror(error.errno or 0).lower()
        raise self._fault(problem)

    def _printed(self) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the site's own command, without a shell
                self.source,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"no answer within {_COMMAND_SECONDS} s"
        except OSError as error:
            problem = os.strerror(error.errno or 0).lower()
        else:
            if done.returncode == 0:
                return done.stdout
            problem = f"ended with {done.returncode}"
        raise self._fault(problem)

    def _fault(self, problem: str) -> FatalError:
        return FatalError("secret-unreadable", origin=self.origin, problem=problem)
