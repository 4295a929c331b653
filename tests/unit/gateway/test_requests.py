"""What a request must be like; each refusal has its status, and nothing of the request in it."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.limits import Limits
from deidfhir.gateway.tokens import Tokens
from deidfhir.mapping.context import MappingContext
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, DICOM_JSON, FHIR, asked, codes, part10, related

ONE = part10(instance(1, PatientIdentityRemoved="YES", DeidentificationMethod="tool 1.0"))
HEADERS, SEVERAL = related(*[("application/dicom", ONE)] * 2)
WORD = "correct-horse-battery"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "route-unknown"),
        ("GET", "/map/", 404, "route-unknown"),
        ("GET", "/map", 405, "method-unknown"),
        ("PUT", "/verdict", 405, "method-unknown"),
        ("POST", "/metrics", 405, "method-unknown"),
    ],
)
def test_a_path_or_method_that_there_is_not_is_told(
    method: str, path: str, status: int, code: str
) -> None:
    with asked() as client:
        answer = client.request(method, path)
    assert (answer.status_code, codes(answer)) == (status, [code])
    assert (answer.headers.get("allow") is not None) == (status == 405)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (DICOM, b"", 400, "body-empty"),
        (DICOM_JSON, b"[]", 400, "body-empty"),
        (DICOM_JSON, b"{", 400, "request-broken"),
        (DICOM_JSON, b"[1]", 400, "request-broken"),
        (DICOM_JSON, b"[" * 100_000, 400, "request-broken"),
        (DICOM_JSON, b"\xff\xfe", 400, "request-broken"),
        ({"Content-Type": "multipart/related"}, b"x", 400, "multipart-broken"),
        ({"Content-Type": "multipart/related; boundary=b"}, b"--b--", 400, "body-empty"),
        ({"Content-Type": "text/plain"}, b"x", 415, "content-not-supported"),
        ({"Content-Type": "application/dicom;="}, ONE, 415, "content-not-supported"),
        ({}, ONE, 415, "content-not-supported"),
        (FHIR, b"{}", 415, "content-not-supported"),
        ({**DICOM, "Content-Encoding": "gzip"}, ONE, 415, "content-not-supported"),
        ({**DICOM, "Accept": "text/html"}, ONE, 406, "answer-not-acceptable"),
        ({**DICOM, "Accept": "*/*;q=0"}, ONE, 406, "answer-not-acceptable"),
        ({**DICOM, "Host": "elsewhere.example"}, ONE, 421, "host-unknown"),
    ],
)
def test_a_body_in_another_form_is_refused(
    headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    with asked(Gateway(MappingContext(), hosts=frozenset({"127.0.0.1"}))) as client:
        answer = client.post("/map", content=body, headers=headers)
    assert (answer.status_code, codes(answer)) == (status, [code])


@pytest.mark.parametrize(
    "host",
    [
        *("a{b.elsewhere.example", "elsewhere.example:99999", "elsewhere.example:", 'a"b.example'),
        *("[::1", "127.0.0.1@elsewhere.example", "127.0.0.1, elsewhere.example", "", "\xff"),
    ],
)
def test_a_host_that_is_not_in_the_form_of_one_is_not_ours(host: str) -> None:
    with asked(Gateway(MappingContext(), hosts=frozenset({"127.0.0.1"}))) as client:
        answer = client.get("/metrics", headers={"Host": host.encode("latin-1")})  # type: ignore[arg-type]
        assert (answer.status_code, codes(answer)) == (421, ["host-unknown"])


def test_our_own_host_is_known_with_and_without_port_and_in_brackets() -> None:
    with asked(Gateway(MappingContext(), hosts=frozenset({"127.0.0.1", "::1", "here"}))) as client:
        for host in ("127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "HERE:1"):
            assert client.get("/metrics", headers={"Host": host}).status_code == 200


def test_a_part_of_another_form_is_refused() -> None:
    headers, body = related(("application/dicom", ONE), ("image/jpeg", b"x"))
    with asked() as client:
        answer = client.post("/map", content=body, headers=headers)
    assert (answer.status_code, codes(answer)) == (415, ["content-not-supported"])


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/fhir+json"),
        ("*/*", "application/fhir+json"),
        ("application/json", "application/json"),
        ("application/*;q=0.5, application/json", "application/json"),
        ("text/html, application/fhir+json;q=0.1", "application/fhir+json"),
    ],
)
def test_the_answer_has_the_form_that_is_accepted(accept: str, form: str) -> None:
    with asked() as client:
        answer = client.post("/map", content=ONE, headers={**DICOM, "Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, form)


def test_only_who_has_a_token_may_ask(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# of the archive\n{WORD}\nanother-{WORD}\n")
    with asked(Gateway(MappingContext(), tokens=Tokens(file))) as client:
        for given in ("", "Bearer", f"Bearer {WORD[:-1]}", f"Basic {WORD}", "Bearer \xe4"):
            head = {**DICOM, "Authorization": given.encode("latin-1")}
            answer = client.post("/map", content=ONE, headers=head)  # type: ignore[arg-type]
            assert (answer.status_code, codes(answer)) == (401, ["token-demanded"])
            assert answer.headers["www-authenticate"] == 'Bearer realm="deidfhir"'
        for given in (f"Bearer {WORD}", f"bearer another-{WORD}"):
            head = {**DICOM, "Authorization": given.encode()}
            assert client.post("/map", content=ONE, headers=head).status_code == 200  # type: ignore[arg-type]
        assert client.get("/metrics").status_code == 401
        assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_what_is_more_than_may_be_under_way_at_a_time_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = Event(), Event()

    def slow(*_: object) -> bytes:
        begun.set()
        go_on.wait(10)
        return b"{}"

    monkeypatch.setattr("deidfhir.gateway.mapped._line", slow)
    found: list[Any] = []
    with asked(Gateway(MappingContext(), Limits(requests=1))) as client:
        ask = Thread(
            target=lambda: found.append(client.post("/map", content=SEVERAL, headers=HEADERS))
        )
        ask.start()
        assert begun.wait(10)
        crowded = client.post("/map", content=SEVERAL, headers=HEADERS)
        health = client.get("/healthz")
        go_on.set()
        ask.join()
        after = client.post("/map", content=SEVERAL, headers=HEADERS)
    assert (crowded.status_code, codes(crowded)) == (429, ["gateway-crowded"])
    assert crowded.headers["retry-after"] == "1"
    assert [one.status_code for one in (health, *found, after)] == [200, 200, 200]


def test_an_answer_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()

    def slow(*_: object) -> bytes:
        go_on.wait(10)
        return b"{}"

    monkeypatch.setattr("deidfhir.gateway.mapped._line", slow)
    with asked(Gateway(MappingContext(), Limits(handling=0.05))) as client:
        answer = client.post("/map", content=SEVERAL, headers=HEADERS)
        go_on.set()
    assert (answer.status_code, codes(answer)) == (503, ["gateway-slow"])
    assert answer.headers["retry-after"] == "1"


def test_while_it_drains_nothing_new_is_taken() -> None:
    gateway = Gateway(MappingContext())
    with asked(gateway) as client:
        gateway.is_draining = True
        work = client.post("/map", content=ONE, headers=DICOM)
        ready, live = client.get("/readyz"), client.get("/healthz")
    assert (work.status_code, codes(work)) == (503, ["gateway-draining"])
    assert (ready.status_code, codes(ready)) == (503, ["gateway-draining"])
    assert (work.headers["retry-after"], work.headers["connection"]) == ("1", "close")
    assert live.status_code == 200


def test_a_fault_of_ours_is_told_by_its_kind_and_place_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> bytes:
        raise KeyError("DOE^JANE")

    monkeypatch.setattr("deidfhir.gateway.mapped._line", broken)
    told: list[str] = []
    with asked(Gateway(MappingContext(), tell=told.append)) as client:
        answer = client.post("/map", content=SEVERAL, headers=HEADERS)
    assert (answer.status_code, codes(answer)) == (500, ["gateway-failed"])
    assert "DOE" not in answer.text + "".join(told)
    assert "KeyError" in told[0]
    assert "test_requests.py:" in told[0]


def test_who_goes_away_in_the_middle_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> bytes:
        raise ClientDisconnect

    monkeypatch.setattr("deidfhir.gateway.mapped.received", gone)
    told: list[str] = []
    with asked(Gateway(MappingContext(), tell=told.append)) as client:
        assert client.post("/map", content=ONE, headers=DICOM).status_code == 400
    assert told == []


def test_all_refusals_are_outcomes_without_a_word_of_the_request() -> None:
    with asked() as client:
        secret = json.dumps({"0020000D": {"vr": "UI", "Value": ["DOE^JANE"]}}).encode()
        answer = client.post("/map?who=DOE", content=secret, headers=DICOM_JSON)
    assert answer.status_code == 422
    assert "DOE" not in answer.text
