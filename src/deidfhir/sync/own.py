"""Files and folders that are their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path


def make_own_folder(path: Path) -> None:
    """Make a folder with those above it that are missing, each for its owner alone.

    Args:
        path: The folder; one that is there is left as it is.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def open_own_file(path: Path, flags: int) -> int:
    """Open a file for writing, and make it its owner's alone, also one that was there.

    Args:
        path: The file.
        flags: Of `os.open`, beside those that make it and write to it.

    Returns:
        The file descriptor.
    """
    descriptor = os.open(path, os.O_CREAT | flags, 0o600)
    if os.fstat(descriptor).st_uid == os.geteuid():
        os.fchmod(descriptor, 0o600)
    return descriptor
