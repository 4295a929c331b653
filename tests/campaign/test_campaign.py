"""Some two hundred seeded episodes on a real server: nothing lost, doubled or spurious."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.campaign.episode import Episode, Result
from tests.campaign.faults import CLASSES
from tests.campaign.ground import HapiGround
from tests.campaign.results import PAGE
from tests.campaign.schedule import SHIPPED, Turn, schedule

TURNS = schedule(SHIPPED, 1)


@pytest.mark.parametrize("turn", TURNS, ids=lambda one: f"{one.name}-{one.seed}")
def test_what_faults_have_left_behind_is_made_good_by_the_next_runs(
    turn: Turn, campaign_ground: HapiGround, tmp_path: Path, played: list[Result]
) -> None:
    result = Episode(CLASSES[turn.name], turn.seed, campaign_ground, tmp_path).play()
    played.append(result)
    told = "\n".join(result.wrong)
    assert not result.wrong, f"{told}\nplay it again: {result.replay}"


def test_every_class_that_was_played_has_had_its_faults(played: list[Result]) -> None:
    faults: Counter[str] = Counter()
    for one in played:
        faults[one.name] += one.faults
    assert [name for name, count in faults.items() if not count] == []


def test_the_test_command_plays_every_class_and_restarts_the_server_a_few_times() -> None:
    played = Counter(one.name for one in TURNS)
    assert len(TURNS) >= 200
    assert set(played) == set(CLASSES)
    assert played["server-killed"] + played["server-restarted"] <= 8


def test_a_campaign_of_any_size_plays_every_class_with_seeds_of_its_own() -> None:
    thousand = schedule(1000, 7)
    assert len(thousand) >= 1000
    assert {one.name for one in schedule(1, 7)} == set(CLASSES)
    assert len(set(thousand)) == len(thousand)
    assert schedule(3, 5, "cut-after") == [Turn("cut-after", seed) for seed in (5, 6, 7)]


def test_the_page_of_results_tells_of_every_class() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [one.name for one in CLASSES.values() if f"| `{one.name}` | {one.does} |" not in page]
    assert missing == []
    assert f"plays {len(TURNS)} episodes" in page
