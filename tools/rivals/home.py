"""An environment of its own for each rival: made once, kept for the next run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 900
"""Seconds that an installation may take."""
_MINORS = range(30, 10, -1)


class AbsentError(Exception):
    """A rival that cannot be measured here; the text is the reason, in a line."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rival's environment holds.

    Args:
        folder: Its name among the rivals' environments.
        requirements: What is installed, with versions; wheels only.
        python: The lowest version of Python that it runs on.
    """

    folder: str
    requirements: tuple[str, ...]
    python: tuple[int, int] = (3, 11)


def settled(needs: Needs, folder: Path) -> Path:
    """Return the interpreter of a rival's environment, which is made if it is not there yet.

    Args:
        needs: What it holds.
        folder: Where the rivals' environments stand.

    Raises:
        AbsentError: It cannot be made here.
    """
    home = folder / needs.folder
    python = home / "bin" / "python"
    stamp = home / "installed"
    content = "\n".join(needs.requirements)
    if stamp.is_file() and stamp.read_text() == content and _runs([str(python), "-c", ""]):
        return python
    base = interpreter(needs.python)
    shutil.rmtree(home, ignore_errors=True)
    _done([base, "-I", "-m", "venv", str(home)])
    if needs.requirements:
        options = ["--quiet", "--no-input", "--only-binary=:all:", "--disable-pip-version-check"]
        _done([str(python), "-I", "-m", "pip", "install", *options, *needs.requirements])
    stamp.write_text(content)
    return python


def interpreter(lowest: tuple[int, int]) -> str:
    """Return an interpreter that is new enough: this one, or one that is found.

    Args:
        lowest: Its lowest version.

    Raises:
        AbsentError: There is none.
    """
    if sys.version_info[:2] >= lowest:
        return sys.executable
    named = [found for minor in _MINORS if (found := shutil.which(f"python3.{minor}"))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = sorted(map(str, pyenv.glob("versions/3.*/bin/python")), reverse=True)
    for one in (*named, *kept):
        if _runs([one, "-c", f"import sys; sys.exit(sys.version_info[:2] < {lowest})"]):
            return one
    raise AbsentError(f"needs Python {lowest[0]}.{lowest[1]} or newer, which is not here")


def _runs(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603 - ours
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _done(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - ours
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AbsentError(f"does not install: {type(error).__name__}") from error
    if done.returncode:
        raise AbsentError(f"does not install: {reason(done.stderr or done.stdout)}")


def reason(output: str) -> str:
    """Return the line of an installer's output that says why, without names of hosts.

    Args:
        output: What it wrote.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    last = errors[-1].removeprefix("ERROR:").strip()
    return re.sub(r"https?://\S+|host='[^']*'", "(the registry)", last)[:200]
