"""What the server calls a resource is kept while it is written; what is there is not made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from deidfhir.sync import names as memory
from deidfhir.sync.journal import Journal
from deidfhir.sync.names import Names
from deidfhir.sync.profile import WriteMode
from deidfhir.sync.server_ids import ByServerIds
from deidfhir.web.outcome import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deidfhir.fhir.types import JsonObject
    from deidfhir.sync.reading import Reader

SYSTEM = "https://deidfhir.example/tag"
THEIRS = "ImagingStudy/pacs-1"
VERSIONS = {THEIRS: "7"}


def theirs() -> JsonObject:
    """Return someone else's ImagingStudy as it was read."""
    return {"resourceType": "ImagingStudy", "id": "pacs-1", "meta": {"versionId": "7"}}


@dataclass
class Shelf:
    """Resources that are searched by id."""

    there: list[JsonObject] = field(default_factory=list)

    def search(self, kind: str, parameter: str, values: Iterable[str]) -> list[JsonObject]:
        """Return those of a type with one of some ids."""
        wanted = set(values) if parameter == "_id" else set()
        return [one for one in self.there if one["resourceType"] == kind and one["id"] in wanted]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Give a journal."""
    opened = Journal(tmp_path / "journal.db")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory keep three names."""
    monkeypatch.setattr(memory, "_MOST", 3)


def speaking(shelf: Shelf, journal: Journal, mode: WriteMode) -> ByServerIds:
    """Return what addresses resources of a server."""
    return ByServerIds(cast("Reader", shelf), Names(SYSTEM, journal.assigned), mode)


def devices(*numbers: int) -> list[JsonObject]:
    """Return some Devices."""
    return [{"resourceType": "Device", "id": f"d{one}"} for one in numbers]


MODES = pytest.mark.parametrize("mode", [WriteMode.CONDITIONAL, WriteMode.READ_THEN_WRITE])


@MODES
def test_what_was_read_is_written_where_it_is_however_much_else_was_read(
    journal: Journal, mode: WriteMode
) -> None:
    addressing = speaking(Shelf(), journal, mode)
    addressing.received([theirs(), *devices(1, 2, 3, 4)])
    addressing.recall(["Patient/x"])
    (entry,) = addressing.entries([theirs()], [], VERSIONS)
    assert entry["request"] == {"method": "PUT", "url": THEIRS, "ifMatch": 'W/"7"'}
    assert (entry["resource"]["id"], "tag" in entry["resource"]["meta"]) == ("pacs-1", False)


@MODES
def test_what_was_forgotten_is_looked_up_before_it_is_written(
    journal: Journal, mode: WriteMode
) -> None:
    addressing = speaking(Shelf([theirs()]), journal, mode)
    addressing.received([theirs(), *devices(1, 2, 3, 4)])
    for _ in range(2):
        addressing.recall([])
        addressing.received(devices(5, 6, 7, 8))
    addressing.recall([])
    assert addressing.names.server(THEIRS) is None
    (entry,) = addressing.entries([theirs()], [], VERSIONS)
    assert entry["request"] == {"method": "PUT", "url": THEIRS, "ifMatch": 'W/"7"'}


@MODES
def test_what_had_a_version_and_is_not_to_be_found_is_never_made_anew(
    journal: Journal, mode: WriteMode
) -> None:
    with pytest.raises(Rejected) as raised:
        speaking(Shelf(), journal, mode).entries([theirs()], [], VERSIONS)
    assert raised.value.recovery.is_outdated


def test_names_that_are_not_needed_any_more_are_forgotten(journal: Journal) -> None:
    names = Names(SYSTEM, journal.assigned)
    for number in range(100):
        names.learn(f"Provenance/{number}", f"Provenance/s{number}")
        names.recall([])
        assert names.server("Provenance/0") == "Provenance/s0"
    assert len(names._server) + len(names._server_before) <= 2 * (3 + 2)
    assert names.ours("Provenance/s0") == "Provenance/0"
    assert names.server("Provenance/50") is None
    names.recall(["Provenance/50"])
    assert names.server("Provenance/50") == "Provenance/s50"
    names.forget("Provenance/0")
    assert (names.server("Provenance/0"), names.ours("Provenance/s0")) == (None, None)
