"""Which episodes a campaign plays: every class by its share, few of them restarting the server."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from random import Random

from tests.campaign.faults import CLASSES

_RESTARTING = {"server-killed": 5, "server-restarted": 2}
"""What restarts the server, and how often at most where time is short."""

SHIPPED = 220
"""So many episodes the test command plays."""


@dataclass(frozen=True)
class Turn:
    """One episode to be played."""

    name: str
    seed: int


def schedule(episodes: int, seed: int, only: str = "") -> list[Turn]:
    """Return the episodes of a campaign, in the order in which they are played.

    Args:
        episodes: How many, about; no class is left out.
        seed: The first seed of each class.
        only: The one class to play, or an empty text for all.
    """
    if only:
        return [Turn(only, seed + number) for number in range(episodes)]
    whole = sum(one.share for one in CLASSES.values())
    turns = []
    for one in CLASSES.values():
        count = max(1, ceil(one.share * episodes / whole))
        if episodes <= SHIPPED:
            count = min(count, _RESTARTING.get(one.name, count))
        turns += [Turn(one.name, seed + number) for number in range(count)]
    # Shuffled, so that what one class leaves behind on the server is met by every other.
    Random(seed).shuffle(turns)
    return turns
