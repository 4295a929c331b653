"""The process of a rival, as seen from the one that drives it."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path
from typing import IO, Any, Self

from tools.rivals.home import AbsentError

_TURNS = Path(__file__).with_name("turns.py")
_PATIENCE = 600
"""Seconds that a turn may take."""


class Child:
    """A rival that waits for its turn.

    Args:
        python: The interpreter of its environment.
        script: The file whose `make` returns what is measured.
        way: What `make` is told.
        asked: JSON file of the paths and attributes.
        log: What it writes to standard error; its end is the reason if it ends.
    """

    def __init__(self, python: Path, script: Path, way: str, asked: Path, log: Path) -> None:
        self._log = log
        self._errors: IO[bytes] = log.open("wb")
        self._process = subprocess.Popen(  # noqa: S603 - ours
            [str(python), "-I", str(_TURNS), str(script), way, str(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def turn(self) -> dict[str, Any]:
        """Ask for a turn, and return its answer.

        Raises:
            AbsentError: The process ended, or takes too long.
        """
        try:
            self._stdin.write(b"\n")
            self._stdin.flush()
        except OSError as error:
            raise self._ended() from error
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Return the next answer: the first one comes without being asked for.

        Raises:
            AbsentError: The process ended, or takes too long.
        """
        stdout = self._process.stdout
        if stdout is None or not select.select([stdout], [], [], _PATIENCE)[0]:
            self._process.kill()
            raise AbsentError(f"no answer in {_PATIENCE} seconds")
        # One answer is asked for at a time, so that nothing of the next waits in the buffer.
        line = stdout.readline()
        if not line:
            raise self._ended()
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the process."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        finally:
            self._errors.close()

    @property
    def _stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise AbsentError("no standard input")
        return self._process.stdin

    def _ended(self) -> AbsentError:
        status = self._process.wait(timeout=60)
        lines = self._log.read_text(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return AbsentError(f"ended with status {status}: {said[-1][:200] if said else 'silent'}")
