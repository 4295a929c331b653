"""What stands for files as they are, so that they need not be opened to know them again."""

from __future__ import annotations

import os
from hashlib import sha256


class Signature:
    """Stands for some files as they are: changes whenever one is added, goes, or is written to."""

    __slots__ = ("_told", "newest")

    def __init__(self) -> None:
        self._told: list[str] = []
        self.newest = 0

    def add(self, name: str, status: os.stat_result) -> None:
        """Take in a file.

        Args:
            name: Its name.
            status: How it is.
        """
        changed, written = status.st_ctime_ns, status.st_mtime_ns
        self._told.append(f"{name}\0{status.st_size} {written} {changed}\0")
        if changed > self.newest or written > self.newest:
            self.newest = max(changed, written)

    def digest(self) -> str:
        """Return what stands for the files so far."""
        told = "".join(self._told)
        return sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]
