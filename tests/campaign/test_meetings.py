"""An episode in which others write, or two jobs, or the client itself late, finds a client out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.enriched import enriched
from deidfhir.pipeline.foreign import OurTraces
from deidfhir.sync import merging
from deidfhir.sync.addressing import ByOurIds
from deidfhir.sync.planner import Planner
from deidfhir.sync.standing import Mode
from deidfhir.sync.strangers import LookUp
from deidfhir.sync.unit import Unit
from tests.campaign.folders import PartedWorld
from tests.campaign.late import Late
from tests.campaign.playing import MemoryGround, wrong
from tests.campaign.proxy import Reply
from tests.integration.listener import Sent

Json = dict[str, Any]
MEETINGS = ("others-linked", "others-enriched", "two-folders", "late")


@pytest.mark.parametrize("name", MEETINGS)
def test_an_episode_of_the_client_as_it_is_finds_nothing_wrong(
    name: str, ground: MemoryGround, tmp_path: Path
) -> None:
    assert wrong(name, ground, tmp_path) == ""


@pytest.mark.parametrize("name", ["others-linked", "others-enriched"])
def test_a_client_that_does_not_look_for_others_is_found_out(
    name: str, ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LookUp, "is_sought", lambda *_: False)
    assert " was put beside ImagingStudy/pacs-" in wrong(name, ground, tmp_path)


def test_a_client_that_writes_to_what_it_should_only_link_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deidfhir.pipeline.runs.Mode", lambda _: Mode.ENRICH)
    found = wrong("others-linked", ground, tmp_path)
    assert "has extensions of ours" in found
    assert "has a version that was never planned so" in found


def test_a_client_that_only_links_what_it_should_enrich_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deidfhir.pipeline.runs.Mode", lambda _: Mode.LINK)
    assert "has no extensions of ours" in wrong("others-enriched", ground, tmp_path)


def test_a_client_that_overwrites_what_an_owner_writes_meanwhile_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unit, "versions", {})
    assert "lost what its owner wrote" in wrong("others-enriched", ground, tmp_path)


def test_a_client_that_loses_an_element_of_theirs_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_tag(theirs: JsonObject, *more: Any) -> JsonObject | None:  # noqa: ANN401
        return enriched({**theirs, "meta": {}}, *more)

    monkeypatch.setattr("deidfhir.pipeline.foreign.enriched", without_tag)
    assert "lost what its owner wrote" in wrong("others-enriched", ground, tmp_path)


@pytest.mark.parametrize("name", ["others-linked", "others-enriched"])
def test_a_client_that_takes_what_an_owner_lists_later_for_read_is_found_out(
    name: str, ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_has_changed", lambda *_: False)
    assert "partial-study" in wrong(name, ground, tmp_path, (10, 16, 17, 19, 29))


def test_a_client_that_leaves_on_theirs_what_is_withdrawn_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OurTraces, "stripped", lambda _, theirs, __: theirs)
    assert "has extensions of ours" in wrong("others-enriched", ground, tmp_path)


def test_a_job_that_states_its_own_part_alone_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "kept_of", lambda *_: merging._NOTHING)
    found = wrong("two-folders", ground, tmp_path)
    assert "is not as planned" in found
    assert "has a version that was never planned so" in found


def test_a_job_that_takes_the_others_instances_for_its_own_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Planner, "others", lambda *_, **__: {})
    assert "lost: " in wrong("two-folders", ground, tmp_path)


def test_a_client_that_states_anew_what_it_repeats_is_found_out(
    ground: MemoryGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, whole = count(), ByOurIds.entries

    def restamped(
        self: ByOurIds, puts: list[JsonObject], deletes: list[str], versions: Mapping[str, str]
    ) -> list[JsonObject]:
        at = f"2020-01-01T00:00:{next(seconds) % 60:02}+00:00"
        puts = [{**one, **({"recorded": at} if "recorded" in one else {})} for one in puts]
        return whole(self, puts, deletes, versions)

    monkeypatch.setattr(ByOurIds, "entries", restamped)
    assert "was recorded anew" in wrong("late", ground, tmp_path)


@dataclass
class Passing:
    """A write that passes a proxy and notes when it reaches the server and is answered."""

    name: str
    text: str
    told: list[str]
    is_write: bool = True
    sent: Sent = field(init=False)

    def __post_init__(self) -> None:
        """Make the transaction."""
        resource = {"resourceType": "ImagingStudy", "id": self.name, "description": self.text}
        asked = {"method": "PUT", "url": f"ImagingStudy/{self.name}"}
        self.sent = Sent("POST", "/fhir", {"entry": [{"resource": resource, "request": asked}]})

    def forward(self) -> Reply:
        """Reach the server."""
        self.told.append(f"{self.name} {self.text}")
        return Reply(200, (), b"")

    def answer(self, _: Reply) -> None:
        """Note it."""
        self.told.append("answered")

    def reset(self) -> None:
        """Note it."""
        self.told.append("lost")


def test_a_write_arrives_late_only_while_it_is_the_last_word() -> None:
    told: list[str] = []
    late = Late(Random(1))

    def send(name: str, text: str, *, arrives: bool = False) -> None:
        late._pass(Passing(name, text, told), copies=True, arrives=arrives)  # type: ignore[arg-type]

    late._detain(Passing("1", "old", told))  # type: ignore[arg-type]
    send("2", "old")
    assert told == ["lost", "2 old", "answered"]
    send("1", "new", arrives=True)
    assert told[3:] == ["1 new", "answered", "2 old"]
    late.arrive()
    late.arrive()
    assert told[6:] == ["1 new"]
    assert late.faults == 2


def test_the_folders_of_a_parted_archive_are_never_empty_and_keep_what_they_held(
    tmp_path: Path,
) -> None:
    world = PartedWorld(tmp_path / "archive", Random(3), "https://tests.example/parted", 1 << 40, 1)
    for _ in range(40):
        world.edit()
        assert all(any(one.iterdir()) for one in world.folders)
    world.plan()
    first = world.folders[0]
    held = {one.name: one.read_bytes() for one in first.iterdir()}
    for _ in range(10):
        world.edit()
    kept = {name: one.read_bytes() for name, one in world.kept(first, 0).items()}
    assert (kept, world.kept(first, -1)) == (held, {})
