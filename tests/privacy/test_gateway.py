"""No route of the gateway answers, logs, counts or tells a planted value that may not leave."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pydicom.config
import pytest
import requests

from deidfhir.fhir.versions import FhirName
from deidfhir.gateway.gateway import Gateway
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.eventlog import EventLog
from deidfhir.pipeline.gate import parse_accept
from deidfhir.web.events import Events
from tests.integration.gateways import serving
from tests.privacy.allowed import OPTIONS, STATES, Case
from tests.privacy.holding import full, hold
from tests.synthetic.canaries import Canary, json_of, write_planted
from tests.unit.gateway.asking import DICOM, DICOM_JSON, FHIR, asked, related

EVERYTHING = tuple(one for one in OPTIONS if one != "113106")
CASES = [Case(), Case(options=EVERYTHING), *(Case(one) for one in STATES if one != "removed")]
ROUTES = ("/map", "/$deid-map", "/verdict", "/$deid-verdict")
# The standard's newest attributes are unknown to pydicom, which says so while it writes them.
pytestmark = pytest.mark.filterwarnings("ignore:VR lookup failed")


@pytest.fixture(autouse=True)
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let every library tell all that it ever would."""
    caplog.set_level(logging.DEBUG)
    pydicom.config.debug(debug_on=True, default_handler=False)
    yield
    pydicom.config.debug(debug_on=False)


Sent = tuple[dict[str, str], bytes]


@pytest.fixture(scope="module", params=range(len(CASES)), ids=lambda n: f"{CASES[n].state}-{n}")
def planted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Case, tuple[Canary, ...], list[Sent]]:
    """Give a case, the values planted in its object, and requests that hold it in every form."""
    case = CASES[request.param]
    made, canaries = full(case.markers(), request.param)
    path = write_planted(made, tmp_path_factory.mktemp("planted") / "one.dcm")
    content = path.read_bytes()
    as_json = json.dumps(json_of(made)).encode()
    bodies: list[Sent] = [
        (DICOM, content),
        (DICOM_JSON, as_json),
        related(("application/dicom", content), ("application/dicom", content)),
        related(("application/dicom+json", as_json)),
    ]
    return case, canaries, bodies


def as_parameters(sent: Sent) -> Sent:
    """Return a request whose body is Parameters."""
    data = base64.b64encode(sent[1]).decode()
    binary = {"resourceType": "Binary", "contentType": sent[0]["Content-Type"], "data": data}
    entry = {"name": "object", "resource": binary}
    return FHIR, json.dumps({"resourceType": "Parameters", "parameter": [entry]}).encode()


@pytest.mark.parametrize(("fhir", "accept"), [("R4", "removed"), ("R5", "all")])
def test_answers_hold_what_may_leave_and_nothing_else_says_anything(
    planted: tuple[Case, tuple[Canary, ...], list[Sent]],
    fhir: FhirName,
    accept: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    case, canaries, bodies = planted
    told: list[str] = []
    log = EventLog(tmp_path / "log", lambda: 86399.5)
    context = MappingContext(fhir).accepting(parse_accept(accept))
    gateway = Gateway(context, events=Events(log), tell=told.append)
    is_accepted = accept == "all" or case.state == "removed"
    with asked(gateway) as client:
        for route in ROUTES:
            more = [as_parameters(one) for one in bodies[:2]] if "$" in route else []
            again = bodies[:2] if route == "/map" else []  # what was learnt serves
            for headers, body in (*bodies, *more, *again):
                answer = client.post(route, content=body, headers=headers)
                maps = "map" in route
                assert answer.status_code == (200 if is_accepted or not maps else 422)
                hold(canaries, answer.content, case.allowed if maps and is_accepted else ())
        numbers = client.get("/metrics").text
    log.close()
    hold(canaries, "\n".join([numbers, (tmp_path / "log").read_text(), caplog.text, *told]), ())


def test_what_is_broken_is_refused_without_a_word_of_it(
    planted: tuple[Case, tuple[Canary, ...], list[Sent]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, canaries, bodies = planted
    told: list[str] = []
    with asked(Gateway(MappingContext(), tell=told.append)) as client:
        for route in ROUTES:
            for headers, body in bodies:
                for cut in (_cut, _garbled, _mistyped):
                    answer = client.post(route, content=cut(body), headers=headers)
                    if answer.status_code != 200:
                        hold(canaries, answer.content, ())
        numbers = client.get("/metrics").text
    hold(canaries, "\n".join([numbers, caplog.text, *told]), ())


def _cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _garbled(body: bytes) -> bytes:
    return body[:200] + bytes(one ^ 0xFF for one in body[200:210]) + body[210:]


def _mistyped(body: bytes) -> bytes:
    return body.replace(b'"vr"', b'"VR"').replace(b"LO", b"XX", 3).replace(b"SQ", b"UN")


def test_a_process_says_nothing_of_what_it_is_asked(tmp_path: Path) -> None:
    made, canaries = full(Case("absent").markers(), 9)
    content = write_planted(made, tmp_path / "one.dcm").read_bytes()
    words = [needle for one in canaries for needle in one.needles if needle.isascii()]
    path, query = words[0], words[1]
    log = tmp_path / "log"
    with serving("--log", log) as gateway:
        answers = [
            requests.get(f"{gateway.url}/{path}?{query}", headers=_headers(words), timeout=20),
            requests.post(f"{gateway.url}/map?{query}", data=content, headers=DICOM, timeout=20),
            requests.post(f"{gateway.url}/map", data=words[3], headers=DICOM_JSON, timeout=20),
            requests.get(f"{gateway.url}/metrics?{query}", timeout=20),
        ]
        assert gateway.end() == 0
    assert [one.status_code for one in answers] == [404, 422, 400, 200]
    texts = [answer.text + str(answer.headers) for answer in answers]
    hold(canaries, "\n".join([*texts, *gateway.said, log.read_text()]), ())
    assert log.read_text().count("\n") == 4


def _headers(words: list[str]) -> dict[str, str]:
    return {"Accept": words[2], "Authorization": f"Bearer {words[3]}", "X-Study": words[4]}
