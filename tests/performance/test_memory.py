"""A run takes no more memory for more instances: what was read of them lies on the disk."""

from __future__ import annotations

from tools.bench_memory import MUST, measure

MOST_MORE = 12
"""Megabytes more that three times the instances may take: what is kept of their studies."""


def test_three_times_the_instances_take_no_more_memory() -> None:
    (few, peak), (many, higher) = measure(100_000), measure(300_000)
    assert (few, many) == (100_000, 300_000)
    assert higher - peak <= MOST_MORE
    assert higher < MUST
