"""The servers of the campaign: one real one for all episodes, and small ones in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.campaign.episode import Result
from tests.campaign.ground import HapiGround
from tests.campaign.memory import MemoryServer
from tests.campaign.playing import MemoryGround
from tests.campaign.proxy import FaultProxy


@pytest.fixture(scope="session")
def campaign_ground() -> Iterator[HapiGround]:
    """Give the one real server of all episodes."""
    with HapiGround() as made:
        yield made


@pytest.fixture(scope="session")
def played() -> list[Result]:
    """Give what has come of the episodes so far."""
    return []


@pytest.fixture
def memory() -> Iterator[MemoryServer]:
    """Give a server in memory."""
    with MemoryServer() as made:
        yield made


@pytest.fixture
def ground(memory: MemoryServer) -> MemoryGround:
    """Give the ground of an episode that needs no real server."""
    return MemoryGround(memory)


@pytest.fixture
def proxy(memory: MemoryServer) -> Iterator[FaultProxy]:
    """Give a proxy before the server in memory."""
    with FaultProxy(memory.url) as made:
        yield made
        made.let_go()
