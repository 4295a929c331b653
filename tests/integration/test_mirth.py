"""The shipped Mirth channel, its scripts run unchanged by a real Rhino against a real gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import Dataset, dcmread

from deidfhir.dicom.dicomjson import header_of_json, read_json
from tests.golden.test_golden import CASES
from tests.integration.fake import Reply
from tests.integration.gateways import serving
from tests.integration.support import Archive, Site
from tests.rhino.channel import Channel
from tests.rhino.messages import message_of, message_of_json
from tests.synthetic.objects import codes
from tools import generate_mirth_channel

if TYPE_CHECKING:
    from tests.integration.fake import FakeServer


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    """Give the channel."""
    folder = tmp_path / "mirth"
    folder.mkdir()
    return Channel(folder)


def where(site: Site) -> tuple[Any, ...]:
    """Return the options of a gateway for a site."""
    return ("--to", site.url, "--journal", site.journal, "--fhir", site.fhir)


def test_the_shipped_channel_has_the_shipped_scripts_and_all_attributes_that_are_read() -> None:
    made = generate_mirth_channel
    assert made.TRANSFORMER.read_text(encoding="utf-8") == made.transformer()
    assert made.TARGET.read_text(encoding="utf-8") == made.rendered()


def test_messages_make_what_a_sync_of_their_files_makes(
    r4_site: Site, archive: Archive, channel: Channel
) -> None:
    paths = [archive.put(1, number, DeidentificationMethod=["a", "b 1.0"]) for number in (1, 2)]
    paths.append(archive.put(2, 1, DeidentificationMethodCodeSequence=codes("113100", "113105")))
    paths += [
        archive.put(3, 1, SpecificCharacterSet="ISO_IR 192", DeidentificationMethod="匿名化 😀"),
        archive.put(4, 1, SpecificCharacterSet="ISO_IR 100", DeidentificationMethod="Größe µ"),
    ]
    with serving(*where(r4_site)) as gateway:
        done = channel.run([message_of(dcmread(one)) for one in paths], gateway.url)
    assert [one["status"] for one in done] == ["SENT"] * 5
    found = r4_site.verify(archive.folder)
    assert (found.code, found.report["ok"]) == (0, 8)


def test_every_golden_object_is_said_as_it_says_it_itself(
    channel: Channel, fake: FakeServer
) -> None:
    objects = [
        one for case in CASES for path in (case / "input").glob("*.json") for one in read_json(path)
    ]
    assert len(objects) > 30
    fake.transaction = lambda _: Reply(body=b"{}")
    messages = [message_of_json(one) for one in objects]
    done = channel.run(messages, fake.url.removesuffix("/fhir"))
    for one, told in zip(objects, done, strict=True):
        assert header_of_json(json.loads(told["sent"])).elements == header_of_json(one).elements


STATES = [
    (Reply(status=200, body=b"{}"), "SENT", "stated"),
    (Reply(status=202, body=b"{}"), "QUEUED", "202"),
    (Reply(status=429), "QUEUED", "429"),
    (Reply(status=503), "QUEUED", "503"),
    (Reply(status=502, body=b"<html>"), "QUEUED", "502"),
    (Reply(status=401), "QUEUED", "401"),
    (Reply(status=404), "QUEUED", "404"),
    (Reply(status=400), "ERROR", "400"),
    (Reply(status=413), "ERROR", "413"),
    (Reply(status=415), "ERROR", "415"),
    (
        Reply(status=422, body=b'{"issue": [{"details": {"coding": [{"code": "x"}]}}]}'),
        "ERROR",
        "x",
    ),
    (Reply(status=500), "ERROR", "500"),
]


def test_what_the_gateway_answers_decides_what_becomes_of_the_message(
    channel: Channel, fake: FakeServer, archive: Archive
) -> None:
    message = message_of(dcmread(archive.put(1, 1)))
    replies = iter([reply for reply, _, _ in STATES])
    fake.transaction = lambda _: next(replies)
    done = channel.run([message] * len(STATES), fake.url.removesuffix("/fhir"))
    assert [one["status"] for one in done] == [status for _, status, _ in STATES]
    assert all(word in one["message"] for one, (_, _, word) in zip(done, STATES, strict=True))


def test_without_a_gateway_the_message_waits(
    channel: Channel, archive: Archive, free_port: int
) -> None:
    message = message_of(dcmread(archive.put(1, 1)))
    (done,) = channel.run([message], f"http://127.0.0.1:{free_port}")
    assert done["status"] == "QUEUED"


def test_the_gateway_itself_refuses_and_lets_wait(
    r4_site: Site, archive: Archive, channel: Channel, fake: FakeServer, tmp_path: Path
) -> None:
    bad = message_of(dcmread(archive.put(1, 1, PatientIdentityRemoved="NO")))
    nothing = message_of(Dataset())
    with serving(*where(r4_site)) as gateway:
        refused, empty = channel.run([bad, nothing], gateway.url)
    assert refused["status"] == empty["status"] == "ERROR"
    assert "not-accepted" in refused["message"]
    fake.always(Reply(status=503))
    down = ("--to", fake.url, "--journal", tmp_path / "other", "--timeout", 1)
    with serving(*down) as gateway:
        (waits,) = channel.run([message_of(dcmread(archive.put(2, 1)))], gateway.url)
    assert waits["status"] == "QUEUED"
    assert "sync-halted" in waits["message"]


def test_only_what_is_read_is_sent_and_in_ascii(
    channel: Channel, fake: FakeServer, archive: Archive
) -> None:
    path = archive.put(1, 1, PatientName="Müller^Jörg", ReferringPhysicianName="Dr^No")
    made = dcmread(path)
    block = made.private_block(0x0033, "SECRET 1", create=True)
    block.add_new(1, "LO", "of nobody's business")
    fake.transaction = lambda _: Reply(body=b"{}")
    (done,) = channel.run([message_of(made)], fake.url.removesuffix("/fhir"))
    sent = json.loads(done["sent"])
    assert done["sent"].isascii()
    assert not sent.keys() & {"00100010", "00080090", "00330010", "00331001", "7FE00010"}
    assert sent["00120062"] == {"vr": "CS", "Value": ["YES"]}
