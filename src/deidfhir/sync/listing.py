"""How a run saw its source: what it lists, and what its silence about the rest means (D19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UNLISTED = "~"
"""Stands first in the name of a source that lists nothing: it may not say now what it once said."""

_WEB = ("http://", "https://")


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
        return all(any(_holds(own, one) for own in self.places) for one in places)


def _holds(own: str, other: str) -> bool:
    """Whether a place is another one, or holds it.

    What stands below an address of the web is another archive: no listing goes on into it.
    """
    below = own.rstrip("/") + "/"
    return own == other or (other.startswith(below) and not own.startswith(_WEB))
