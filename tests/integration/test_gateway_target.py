"""A gateway with a real server behind it: what is sent is stated, and may then be given away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from pydicom import dcmread
from starlette.testclient import TestClient

from deidfhir.config import load_settings
from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.journal import Journal
from tests.integration.fake import Reply
from tests.integration.gateways import serving
from tests.integration.support import Archive, Site, search
from tests.unit.gateway.asking import DICOM, DICOM_JSON, asked, codes, related

if TYPE_CHECKING:
    from tests.integration.fake import FakeServer


@contextmanager
def gateway_of(site: Site, *, url: str = "") -> Iterator[TestClient]:
    """Give a client of a gateway whose target is the site's."""
    fhir: Any = site.fhir
    context = MappingContext(fhir, load_settings(None))
    where = TargetOptions(url or site.url, site.journal, timeout=2)
    with asked(Gateway(context, target=where)) as client:
        yield client


def sent(client: TestClient, path: Path, wait: int = 30) -> Any:  # noqa: ANN401 - a response
    """Send one file to POST /sync."""
    return client.post(f"/sync?wait={wait}", content=path.read_bytes(), headers=DICOM)


def test_what_is_sent_is_stated_and_may_then_be_given_away(site: Site, archive: Archive) -> None:
    path = archive.put(1, 1)
    with gateway_of(site) as client:
        before = client.get("/decide", params={"study": archive.uid(1)})
        assert (before.status_code, before.headers["x-deidfhir-reason"]) == (403, "missing")
        answer = sent(client, path)
        assert (answer.status_code, answer.json()["state"]) == (200, "stated")
        after = client.get("/decide", params={"study": archive.uid(1)})
        assert (after.status_code, after.headers["x-deidfhir-reason"]) == (200, "removed")
        assert after.json()["version"] == after.headers["x-deidfhir-version"] == "1"
        assert after.headers["cache-control"] == "private, max-age=5"
        (study,) = search(site.url, f"ImagingStudy?identifier=urn:oid:{archive.uid(1)}")
        by_id = client.get("/decide", params={"resource": f"ImagingStudy/{study['id']}"})
        assert by_id.status_code == 200
    assert site.verify(archive.folder).code == 0


def test_a_refusal_says_why_as_an_operation_outcome_and_is_remembered_for_a_second(
    r4_site: Site, archive: Archive
) -> None:
    with gateway_of(r4_site) as client:
        answer = client.get("/decide", params={"study": archive.uid(1)})
    assert (answer.status_code, codes(answer)) == (403, ["not-given-away"])
    assert answer.json()["issue"][0]["diagnostics"].startswith("missing: ")
    assert answer.headers["cache-control"] == "private, max-age=1"


@pytest.mark.parametrize(
    "query",
    [
        *("", "study=", "study=1.2&study=1.3", "study=1.2&resource=ImagingStudy/1", "study=%FF"),
        *("study=1.2&x=1", "Study=1.2", "resource=ImagingStudy%2F1%2F_history%2F1"),
        "resource=Patient/1",
    ],
)
def test_what_is_no_question_is_refused(fake: FakeServer, query: str, tmp_path: Path) -> None:
    gateway = Gateway(MappingContext(), target=TargetOptions(fake.url, tmp_path / "journal"))
    with asked(gateway) as client:
        answer = client.get(f"/decide?{query}")
    assert (answer.status_code, answer.headers["x-deidfhir-reason"]) == (403, "question")


def test_a_withdrawal_by_request_is_known_at_once(r4_site: Site, archive: Archive) -> None:
    with gateway_of(r4_site) as client:
        asking = {"study": archive.uid(1)}
        assert sent(client, archive.put(1, 1)).status_code == 200
        assert client.get("/decide", params=asking).status_code == 200
        answer = sent(client, archive.put(1, 1, PatientIdentityRemoved="NO"))
        assert answer.status_code == 422
        assert codes(answer)[0] == "not-accepted"
        unit = answer.headers["location"]
        assert client.get(unit).json()["state"] == "refused"
        assert 'units_total{outcome="refused"} 1' in client.get("/metrics").text
        refused = client.get("/decide", params=asking)
        assert refused.headers["x-deidfhir-reason"] == "withdrawn"


def test_the_forms_of_a_body_are_those_of_map_and_the_same_content_is_the_same_unit(
    r4_site: Site, archive: Archive
) -> None:
    paths = [archive.put(1, 1), archive.put(1, 2)]
    objects = [dcmread(one).to_json_dict() for one in paths]
    with gateway_of(r4_site) as client:
        headers, body = related(*(("application/dicom", one.read_bytes()) for one in paths))
        first = client.post("/sync?wait=30", content=body, headers=headers)
        again = client.post("/sync?wait=30", content=json.dumps(objects), headers=DICOM_JSON)
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
        later = client.post("/sync", content=body, headers=headers)
        assert later.status_code == 202
        assert later.headers["location"] == f"/sync/{first.json()['unit']}"
        assert codes(client.get("/sync/unheard-of")) == ["unit-unknown"]
    assert r4_site.verify(archive.folder).code == 0


@pytest.mark.parametrize("query", ["?wait=x", "?wait=-1", "?wait=1&wait=2", "?later=1", "?wait="])
def test_another_query_is_refused(fake: FakeServer, query: str, tmp_path: Path) -> None:
    gateway = Gateway(MappingContext(), target=TargetOptions(fake.url, tmp_path / "journal"))
    with asked(gateway) as client:
        answer = client.post(f"/sync{query}", content=b"x", headers=DICOM)
    assert (answer.status_code, codes(answer)) == (400, ["request-broken"])


def test_a_target_that_is_down_is_503_and_what_was_sent_waits(
    r4_site: Site, archive: Archive, fake: FakeServer
) -> None:
    fake.always(Reply(status=503))
    with gateway_of(r4_site, url=fake.url) as client:
        first = sent(client, archive.put(1, 1), wait=20)
        assert (first.status_code, codes(first)) == (503, ["sync-halted"])
        assert int(first.headers["retry-after"]) >= 1
        second = sent(client, archive.put(2, 1))
        assert (second.status_code, codes(second)) == (503, ["sync-halted"])
        assert client.get("/decide?study=1.2").status_code == 403
        numbers = client.get("/metrics").text
        assert "deidfhir_gateway_units_waiting{} 1" in numbers
        assert 'deidfhir_gateway_decisions_total{reason="unreachable"} 1' in numbers


def test_while_another_run_has_the_target_nothing_is_done_and_nothing_lost(
    r4_site: Site, archive: Archive
) -> None:
    path = archive.put(1, 1)
    held = Journal(r4_site.journal)
    held.put_source("s", ())
    with gateway_of(r4_site) as client:
        answer = sent(client, path)
        assert (answer.status_code, codes(answer)) == (503, ["sync-halted"])
        held.close()
        assert sent(client, path).status_code in (200, 503)
    assert r4_site.verify(archive.folder).code == 0  # it was done before the gateway ended


@dataclass
class Sender:
    """Somebody who sends."""

    url: str
    path: Path
    status: int = 0

    def __call__(self) -> None:
        """Send."""
        content = self.path.read_bytes()
        address = f"{self.url}/sync?wait=30"
        self.status = requests.post(address, data=content, headers=DICOM, timeout=60).status_code


def test_a_sync_gets_its_turn_while_a_gateway_is_busy(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    paths = [archive.put(study, 1) for study in range(3)]
    other = Archive(tmp_path / "other")
    where = ("--to", r4_site.url, "--journal", r4_site.journal, "--fhir", "R4")
    ended = threading.Event()
    with serving(*where) as gateway:

        def send() -> None:
            number = 0
            while not ended.is_set():
                content = other.put(1, number := number + 1).read_bytes()
                requests.post(f"{gateway.url}/sync", data=content, headers=DICOM, timeout=60)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            assert [r4_site.sync(one).code for one in paths] == [0, 0, 0]
        finally:
            ended.set()
            sender.join()
        assert gateway.end() == 0
    assert "units were not stated" not in "".join(gateway.said)


def test_what_was_accepted_is_stated_before_the_process_ends(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1, 1)
    paths = [archive.put(study, 1) for study in range(2, 6)]
    where = ("--to", r4_site.url, "--journal", r4_site.journal, "--fhir", "R4")
    with serving(*where) as gateway:
        waiting = Sender(gateway.url, archive.folder / "1-1-1.dcm")
        thread = threading.Thread(target=waiting)
        thread.start()
        for path in paths:
            answer = requests.post(
                f"{gateway.url}/sync", data=path.read_bytes(), headers=DICOM, timeout=60
            )
            assert answer.status_code == 202
        assert gateway.end() == 0
        thread.join()
    assert waiting.status in (0, 200, 503)
    assert r4_site.verify(*paths).code == 0
    assert gateway.said[1:] == []


def test_a_gateway_that_is_killed_loses_nothing_of_what_it_said_was_stated_and_doubles_nothing(
    r4_site: Site, archive: Archive
) -> None:
    paths = [archive.put(study, number) for study in range(1, 5) for number in (1, 2, 3)]
    where = ("--to", r4_site.url, "--journal", r4_site.journal, "--fhir", "R4")
    for turn in range(3):
        with serving(*where) as gateway:
            senders = [Sender(gateway.url, one) for one in paths]
            with ThreadPoolExecutor(6) as pool:
                done = [pool.submit(one) for one in senders]
                done[4 * turn].result()
                gateway.process.kill()
                gateway.process.wait()
                said = [one for one in done if one.exception() is None]
            assert [one.status for one in senders if one.status] == [200] * len(said)
    with serving(*where) as gateway:
        for one in [Sender(gateway.url, path) for path in paths]:
            one()
            assert one.status == 200
        assert gateway.end() == 0
    assert r4_site.verify(archive.folder).code == 0
    for study in range(1, 5):
        found = list(search(r4_site.url, f"ImagingStudy?identifier=urn:oid:{archive.uid(study)}"))
        assert [one["numberOfInstances"] for one in found] == [3]


def test_what_could_not_be_stated_when_the_process_ends_is_told(
    fake: FakeServer, archive: Archive, tmp_path: Path
) -> None:
    fake.always(Reply(status=503))
    where = ("--to", fake.url, "--journal", tmp_path / "journal", "--timeout", 1)
    with serving(*where) as gateway:
        content = archive.put(1, 1).read_bytes()
        answer = requests.post(f"{gateway.url}/sync", data=content, headers=DICOM, timeout=60)
        assert answer.status_code == 202
        assert gateway.end() == 0
    assert gateway.said[-1] == "deidfhir: 1 units were not stated: they must be sent again"


def test_a_folder_has_things_stated_and_decides_nothing(archive: Archive, tmp_path: Path) -> None:
    target = TargetOptions(str(tmp_path / "fhir"), tmp_path / "journal")
    with asked(Gateway(MappingContext(), target=target)) as client:
        assert sent(client, archive.put(1, 1)).status_code == 200
        assert client.get("/decide?study=1.2").status_code == 404
    assert (tmp_path / "fhir" / "ImagingStudy.ndjson").is_file()
