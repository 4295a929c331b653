"""Where journals lie, and whether they can lie there."""

from __future__ import annotations

import os
from pathlib import Path

from deidfhir.errors import FatalError


def require_writable(path: Path) -> None:
    """Raise what opening the journal for writing would raise: a dry run ends as the run would.

    Raises:
        FatalError: `journal-unusable`.
    """
    nearest = next(one for one in path.absolute().parents if os.path.lexists(one))
    usable = os.access(nearest, os.W_OK | os.X_OK)
    if not usable or (os.path.lexists(path) and not os.access(path, os.W_OK)):
        raise FatalError("journal-unusable", path=path)


def default_path(target: str, environment: dict[str, str], digest: str) -> Path:
    """Return the default journal of a target, in the user's state folder.

    Args:
        target: `folder` or `server`, a hint for the reader of the folder.
        environment: The process's variables.
        digest: Names the target.
    """
    home = environment.get("XDG_STATE_HOME") or ""
    state = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    return state / "deidfhir" / f"{target}-{digest}.sqlite3"
