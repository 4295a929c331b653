"""Episodes against a server in memory, for the tests of what an episode finds out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.campaign.episode import Episode, Result
from tests.campaign.faults import CLASSES
from tests.campaign.memory import MemoryServer


class MemoryGround:
    """A server in memory that nobody kills."""

    def __init__(self, memory: MemoryServer) -> None:
        self.url = memory.url

    def kill(self) -> None:
        """Refuse."""
        raise NotImplementedError

    restart = kill


def play(name: str, seed: int, ground: MemoryGround, folder: Path) -> Result:
    """Play one episode."""
    return Episode(CLASSES[name], seed, ground, folder / f"{name}-{seed}").play()


def wrong(name: str, ground: MemoryGround, folder: Path, seeds: Iterable[int] = range(6)) -> str:
    """Play some episodes of a class, and return what was wrong."""
    results = [play(name, seed, ground, folder) for seed in seeds]
    return "\n".join(one for result in results for one in result.wrong)
