"""An episode finds out a client that loses, doubles, restates or hides; the table counts it."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from deidfhir.sync.journal import Journal
from deidfhir.sync.planner import Planner
from deidfhir.sync.report import SyncReport
from tests.campaign.checker import Faults
from tests.campaign.episode import Result
from tests.campaign.faults import CLASSES
from tests.campaign.playing import MemoryGround, play, wrong
from tests.campaign.results import by_class, rendered
from tests.campaign.world import World


def test_an_episode_of_the_client_as_it_is_finds_nothing_wrong(
    ground: MemoryGround, tmp_path: Path
) -> None:
    assert wrong("cut-after", ground, tmp_path) == ""


def test_a_client_that_believes_what_it_only_planned_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Planner, "is_settled", lambda _, __, row: row is not None)
    found = wrong("cut-before", ground, tmp_path)
    assert "lost: " in found
    assert "is not acknowledged as it is" in found


def test_a_client_that_states_anew_what_it_has_stated_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deidfhir.sync.planner.first_recorded", lambda *given: given[3])
    assert "was recorded anew" in wrong("clock-jump", ground, tmp_path)


def test_a_client_that_forgets_what_it_was_told_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "acknowledge", lambda *_: None)
    assert "lies: " in wrong("slow", ground, tmp_path)


def test_a_client_that_hides_its_failure_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SyncReport, "exit_code", 1)
    assert "odd: exit 1, not 0" in wrong("slow", ground, tmp_path)


def test_a_journal_that_cannot_grow_is_found_by_an_exit_code_and_a_message(
    ground: MemoryGround, tmp_path: Path
) -> None:
    result = play("disk-full", 1, ground, tmp_path)
    assert (result.wrong, result.faults > 0) == ([], True)


def test_a_second_job_that_is_let_in_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", lambda *_: None)
    assert "odd: the second job: exit " in wrong("two-jobs", ground, tmp_path)


def test_the_same_seed_makes_the_same_archive_and_the_same_edits(tmp_path: Path) -> None:
    def written(place: str) -> tuple[list[str], dict[str, bytes]]:
        folder = tmp_path / place
        world = World(folder, Random("5"), "https://tests.example/same", 1 << 40)
        edits = [world.edit() for _ in range(60)]
        return edits, {one.name: one.read_bytes() for one in sorted(folder.rglob("*.dcm"))}

    assert written("one") == written("two")
    assert len(set(written("three")[0])) == 8


def test_the_table_counts_what_was_wrong_and_tells_how_to_play_it_again() -> None:
    bad = Result("slow", 7, faults=3, requests=1000, settling=2, found=Faults(lost=["a", "b"]))
    good = Result("slow", 8, faults=1, requests=500, settling=1)
    bad.odd.append("exit 9")
    assert bad.wrong == ["lost: a", "lost: b", "odd: exit 9"]
    assert bad.replay == "make campaign ONLY=slow SEED=7 EPISODES=1"
    assert by_class([bad, good]).keys() == {"slow"}
    page = rendered([bad, good], "make campaign", "Two episodes.", 200)
    assert re.findall(r"^\| `slow` \|.*", page, re.MULTILINE) == [
        f"| `slow` | {CLASSES['slow'].does} | 2 | 4 | 1,500 | 2 | 0 | 0 | 0 | 1 | 1 (1), 2 (1) |"
    ]
    assert "| all | | 2 | 4 | 1,500 | 2 | 0 | 0 | 0 | 1 | 1 (1), 2 (1) |" in page
    assert not re.search(re.escape(str(Path.cwd())), page)
