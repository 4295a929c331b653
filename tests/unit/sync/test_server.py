"""A FHIR server as target: what is asked of it, and what must be in the journal by then."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.job import SyncJob
from deidfhir.sync.journal import Journal
from deidfhir.sync.listing import Listing
from deidfhir.sync.profile import WriteMode
from deidfhir.sync.report import SyncReport
from deidfhir.sync.server import FhirServer
from deidfhir.sync.standing import Mode
from deidfhir.sync.unit import Unit
from deidfhir.web.connections import Connections
from deidfhir.web.transport import Transport
from tests.unit.sync.memory import NoTraces, Statements, unit
from tests.unit.web.test_transport import Time

Json = dict[str, Any]
Answered = tuple[int, Json]
TYPES = [
    {"type": one, "updateCreate": False, "conditionalUpdate": False}
    for one in ("ImagingStudy", "Provenance")
]
WHOLE: Json = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [{"mode": "server", "resource": TYPES}],
}
SILENT: Json = {**WHOLE, "rest": [{"mode": "server", "resource": [{"type": "ImagingStudy"}]}]}
REFUSED: Json = {"resourceType": "OperationOutcome", "issue": [{"code": "not-supported"}]}


@dataclass
class Shelf:
    """A small FHIR server in memory.

    Attributes:
        statement: What it says of itself.
        part: What it answers to whoever asks for a part of that; None for the whole.
        refuses: What a query that it refuses has in it.
        drops: An element that it leaves out where elements are named.
    """

    statement: Json = field(default_factory=lambda: SILENT)
    part: Answered | None = None
    refuses: str = "\n"
    drops: str = ""
    held: dict[str, Json] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def request(self, method: str, url: str, data: bytes | None) -> Answered:
        """Answer."""
        asked = urlsplit(url)
        with self._lock:
            if method == "POST":
                return 200, {"entry": [self._put(one) for one in json.loads(data or b"")["entry"]]}
            if asked.path.endswith("/metadata"):
                return self.part if asked.query and self.part else (200, self.statement)
            if self.refuses in asked.query:
                return 400, REFUSED
            found = self._found(asked.path.rpartition("/")[2], parse_qs(asked.query))
            return 200, {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}

    def _put(self, entry: Json) -> Json:
        self.held[entry["request"]["url"]] = entry["resource"]
        return {"response": {"status": "201"}}

    def _found(self, kind: str, query: dict[str, list[str]]) -> list[Json]:
        def wanted(one: Json, name: str) -> bool:
            spelled = {
                "_id": [one["id"]],
                "identifier": [f"{i['system']}|{i['value']}" for i in one.get("identifier", ())],
                "target": [i["reference"] for i in one.get("target", ())],
            }
            return not {*spelled[name]}.isdisjoint(query[name][0].split(","))

        found = [one for one in self.held.values() if one["resourceType"] == kind]
        for name in query.keys() & {"_id", "identifier", "target"}:
            found = [one for one in found if wanted(one, name)]
        drops = self.drops if "_elements" in query else ""
        return [{key: each for key, each in one.items() if key != drops} for one in found]


class Session(requests.Session):
    """Answers for a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf = shelf

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        """Answer."""
        status, body = self.shelf.request(method, url, options.get("data"))
        response = requests.Response()
        response.status_code, response.raw = status, BytesIO(json.dumps(body).encode())
        return response


@dataclass(frozen=True)
class Identified:
    """The identifiers of a study, in two forms."""

    uid: str
    may_touch: bool = True
    is_part: bool = False
    leaves_out: bool = False

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Return both."""
        return f"urn:dicom:uid|urn:oid:{self.uid}", f"urn:dicom:uid|{self.uid}"

    def provenances(self, theirs: JsonObject, *, enriched: bool) -> tuple[JsonObject, ...]:
        """Return none: there are no others' studies."""
        del theirs, enriched
        return ()

    def enriched(self, theirs: JsonObject) -> JsonObject | None:
        """Return nothing."""
        del theirs
        return None


def study(number: int) -> Unit:
    """Return a study that has an identifier and no Device."""
    plain = unit(number)
    own = {"system": "urn:dicom:uid", "value": f"urn:oid:1.{number}"}
    target = [{"reference": f"ImagingStudy/s{number}"}]
    return replace(
        plain,
        study={**plain.study, "identifier": [own]},
        provenances=tuple({**one, "target": target} for one in plain.provenances),
        forms=Identified(f"1.{number}"),
    )


def server(shelf: Shelf, journal: Journal) -> FhirServer:
    """Return the target of a run."""
    several = Connections(lambda: Session(shelf), 4)
    transport = Transport("http://server.example/fhir", connections=several)
    made = FhirServer(transport, "4.0.1", "R4", tag_system="urn:tag", batch=2)
    made.keep_ids_in(journal.assigned)
    return made


def synced(
    shelf: Shelf, numbers: Iterable[int], journal: Journal | None = None, mode: Mode = Mode.OWN
) -> SyncReport:
    """Send some studies; without a journal, with one that is forgotten."""
    kept = journal or Journal(None)
    given = (server(shelf, kept), kept, Statements(), NoTraces(), Listing("here", frozenset()))
    report = SyncJob(*given, mode=mode).run([study(one) for one in numbers])
    if journal is None:
        kept.close()
    return report


@pytest.mark.parametrize("mode", [Mode.OWN, Mode.LINK])
def test_no_look_up_beside_the_run_touches_the_journal(journal: Journal, mode: Mode) -> None:
    shelf = Shelf()
    synced(shelf, [38, 39], mode=mode)
    # The first batches find nothing; the last one finds what an earlier journal knew of.
    report = synced(shelf, range(40), journal, mode)
    assert (report.error, report.resources["unchanged"]) == (None, 4)
    assert journal.assigned.mode() == "put"


def test_a_study_is_not_taken_for_new_because_its_identifier_is_left_out_of_an_answer() -> None:
    shelf = Shelf(drops="identifier")
    synced(shelf, [1])
    assert dict(synced(shelf, [1]).resources) == {"unchanged": 2}


def test_where_no_study_is_searched_by_identifier_it_is_looked_up_by_id() -> None:
    shelf = Shelf(refuses="identifier=")
    assert synced(shelf, [1]).resources["created"] == 2
    assert dict(synced(shelf, [1]).resources) == {"unchanged": 2}
    assert synced(shelf, [1], mode=Mode.LINK).error is not None


@pytest.mark.parametrize(
    "part",
    [
        (500, REFUSED),
        (400, REFUSED),
        (200, {**WHOLE, "rest": [{"mode": "server"}]}),
        (200, {"resourceType": "CapabilityStatement", "rest": WHOLE["rest"]}),
        (200, {"resourceType": "Bundle"}),
    ],
)
def test_a_server_that_gives_too_little_of_its_statement_is_asked_for_all(
    journal: Journal, part: Answered
) -> None:
    target = server(Shelf(statement=WHOLE, part=part), journal)
    target.transport.clock = target.transport.pace.clock = Time().clock()
    target.check()
    assert target.dialect is not None
    assert target.dialect.mode is WriteMode.READ_THEN_WRITE


@pytest.mark.parametrize(("seconds", "sizes"), [(0.1, [25, 50, 100, 100]), (10.0, [25] * 4)])
def test_transactions_grow_while_there_is_ample_time_for_them(
    journal: Journal, seconds: float, sizes: list[int]
) -> None:
    shelf = Shelf(statement={**SILENT, "software": {"name": "HAPI FHIR Server"}})
    target, time = server(shelf, journal), Time()
    target.transport.clock = target.transport.pace.clock = time.clock()
    target.check()
    target.transport.gzip = False

    def slow(method: str, url: str, data: bytes | None) -> Answered:
        time.moment += seconds
        return Shelf.request(shelf, method, url, data)

    shelf.request = slow  # type: ignore[method-assign]
    seen = []
    for number in range(4):
        seen.append(target.limits.studies)
        target.write([study(number).study])
    assert seen == sizes
