"""Which classes of the campaign are played in a world of their own, and judged in their own way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tests.campaign.checker import Checker
from tests.campaign.folders import PartedChecker, PartedWorld
from tests.campaign.others import OthersWorld
from tests.campaign.others_checker import OthersChecker
from tests.campaign.world import World

_CHECKERS: Final[dict[str, type[Checker]]] = {
    "others-linked": OthersChecker,
    "others-enriched": OthersChecker,
    "two-folders": PartedChecker,
}


def world_of(name: str, url: str) -> Callable[..., World]:
    """Return what makes the world of a class.

    Args:
        name: Of the class.
        url: The server itself, past the proxy.
    """
    if name == "others-linked":
        return partial(OthersWorld, mode="link", url=url)
    if name == "others-enriched":
        return partial(OthersWorld, mode="enrich", url=url)
    return PartedWorld if name == "two-folders" else World


def checker_of(name: str) -> type[Checker]:
    """Return what judges a class."""
    return _CHECKERS.get(name, Checker)
