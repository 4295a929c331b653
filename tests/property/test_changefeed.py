"""Whatever is entered into a change feed, and whenever it is asked, each change is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidfhir.archive.changefeed import ChangeFeed
from deidfhir.web.request import Answer
from deidfhir.web.transport import Transport
from tests.simulated.dicomweb import SimulatedCloud

MODEST = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Direct:
    """Asks a simulated service without a network."""

    shown_url = "simulated"

    def __init__(self, cloud: SimulatedCloud, version: str) -> None:
        self.cloud, self.version = cloud, version

    def send(self, method: str, path: str, *, take: Callable[[Any], Any]) -> Answer:
        """Return what the service answers."""
        assert method == "GET"
        parts = urlsplit(f"/{self.version}{path}")
        query = {key: one[0] for key, one in parse_qs(parts.query).items()}
        status, body = self.cloud.changes(parts.path, query)
        listed = body if isinstance(body, list) else [body] if body else []
        return Answer(status, {}, tuple(map(take, listed)))


@pytest.fixture(scope="module")
def cloud() -> Iterator[SimulatedCloud]:
    """Give a simulated service."""
    with SimulatedCloud() as made:
        yield made


# How many numbers are passed over before each entry, and by how many seconds its instant is early.
entries = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 1, 7, 99, 100, 101, 350]), st.sampled_from([0, 0, 1, 30])),
    max_size=8,
)


@MODEST
@given(version=st.sampled_from(["v1", "v2"]), rounds=st.lists(entries, max_size=6))
def test_each_entry_is_told_once(
    cloud: SimulatedCloud, version: str, rounds: list[list[tuple[int, int]]]
) -> None:
    cloud.renew()
    feed = ChangeFeed(cast("Transport", Direct(cloud, version)), version)
    position, told, entered = "", [], 0
    for one in rounds:
        for passed, early in one:
            cloud.sequence += passed
            entered += 1
            cloud.happened("create", f"1.{entered}", "1.2")
            cloud.feed[-1].at -= timedelta(seconds=early)
        found = list(feed.since(position))
        told += [entry.study for entry in found]
        if found:
            position = max(found, key=lambda entry: entry.sequence).position
    assert sorted(told) == sorted(f"1.{number}" for number in range(1, entered + 1))


@MODEST
@given(version=st.sampled_from(["v1", "v2"]), before=entries, after=entries)
def test_nothing_that_is_entered_after_the_last_entry_is_passed_over(
    cloud: SimulatedCloud,
    version: str,
    before: list[tuple[int, int]],
    after: list[tuple[int, int]],
) -> None:
    cloud.renew()
    feed = ChangeFeed(cast("Transport", Direct(cloud, version)), version)
    last = None
    for turn, one in enumerate((before, after)):
        last = feed.latest() if turn else None
        for passed, early in one:
            cloud.sequence += passed
            cloud.happened("create", f"{turn}.1", "1.2")
            cloud.feed[-1].at -= timedelta(seconds=early)
    told = [entry.study for entry in feed.since(last.position if last is not None else "")]
    assert told.count("1.1") == len(after)
