"""How a run saw its source: what it lists, and what its silence about the rest means (D19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UNLISTED = "~"
"""Stands first in the name of a source that lists nothing: it may not say now what it once said."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How a run saw its source (D19).

    Args:
        source: Names the source.
        skipped: Digests of the files that were skipped for cause.
        places: What the source consists of: absolute paths.
        complete: Whether what it does not list is not there; a file lists nothing but itself.
        whole: Whether all instances of each study that it lists were read.
        gone: Ids of the ImagingStudies that alone may have vanished; None where each may have that
            is not listed.
        hollow: Whether there is no object in one of the places: a share may not be mounted.
    """

    source: str
    skipped: frozenset[str]
    places: tuple[str, ...] = ()
    complete: bool = False
    whole: bool = True
    gone: frozenset[str] | None = None
    hollow: bool = False

    def covers(self, places: Iterable[str]) -> bool:
        """Whether all places of another source were listed by this one, too."""
        return all(
            any(one == own or one.startswith(own.rstrip("/") + "/") for own in self.places)
            for one in places
        )
