"""`deidfhir serve` as whoever runs it meets it: sockets, TLS, signals, what it says."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests.integration.certificates import Authority
from tests.integration.gateways import Running, serving
from tests.synthetic.objects import instance
from tests.unit.gateway.asking import DICOM, part10

ONE = part10(instance(1, PatientIdentityRemoved="YES", DeidentificationMethod="tool 1.0"))
CLOSE = {"Connection": "close"}
HEAD = b"POST /map HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/dicom\r\n"


def connected(gateway: Running) -> socket.socket:
    """Return a connection to a gateway."""
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=20)


def answer_of(connection: socket.socket) -> bytes:
    """Return all that comes until the other side ends the connection."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_it_answers_and_drains_when_it_is_asked_to_end(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with serving("--log", log) as gateway, connected(gateway) as slow:
        answer = requests.post(f"{gateway.url}/map?DOE", data=ONE, headers=DICOM, timeout=20)
        assert (answer.status_code, answer.json()["resourceType"]) == (200, "Bundle")
        assert "server" not in answer.headers
        slow.sendall(HEAD + f"Content-Length: {len(ONE)}\r\n\r\n".encode() + ONE[:100])
        while "under_way{} 1" not in requests.get(f"{gateway.url}/metrics", timeout=20).text:
            time.sleep(0.01)
        gateway.process.send_signal(signal.SIGTERM)
        while requests.get(f"{gateway.url}/readyz", timeout=20).status_code != 503:
            time.sleep(0.01)
        refused = requests.post(f"{gateway.url}/map", data=ONE, headers=DICOM, timeout=20)
        assert refused.status_code == 503
        slow.sendall(ONE[100:])
        assert slow.recv(12) == b"HTTP/1.1 200"
        assert gateway.ended() == 0
    assert len(gateway.said) == 1
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {one["event"] for one in events} == {"request-answered"}
    assert "DOE" not in log.read_text()


def test_asked_twice_it_ends_at_once() -> None:
    with serving() as gateway, connected(gateway) as slow:
        slow.sendall(HEAD + b"Content-Length: 10\r\n\r\n")
        while "under_way{} 1" not in requests.get(f"{gateway.url}/metrics", timeout=20).text:
            time.sleep(0.01)
        gateway.process.send_signal(signal.SIGINT)
        while requests.get(f"{gateway.url}/readyz", timeout=20).status_code != 503:
            time.sleep(0.01)
        assert gateway.end(signal.SIGINT) == 0


def test_what_does_not_come_in_time_is_given_up() -> None:
    with serving("--request-timeout", 0.3) as gateway:
        with connected(gateway) as half:
            half.sendall(HEAD + b"Content-Length: 10\r\n\r\n12345")
            assert answer_of(half).startswith(b"HTTP/1.1 408 ")
        with connected(gateway) as drop_by_drop:
            drop_by_drop.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            assert b"request-slow" in answer_of(drop_by_drop)
        with connected(gateway) as without_a_head:
            without_a_head.sendall(HEAD)
            assert answer_of(without_a_head).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"no HTTP at all\r\n\r\n", 400, "request-broken"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400, "request-broken"),
        (HEAD + b"Content-Length: x\r\n\r\n", 400, "request-broken"),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "request-broken"),
        (HEAD + b"Content-Length: 999999999999\r\n\r\n", 413, "body-too-large"),
        ((b"GET / HTTP/1.1\r\nDOE: " + b"x" * 65_536)[:65_537], 431, "head-too-large"),
        (b"GET /healthz HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 200, "ok"),
        (b"GET /metrics HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 421, "host-unknown"),
    ],
)
def test_whatever_is_sent_is_answered_in_our_own_words(
    gateway: Running, sent: bytes, status: int, code: str
) -> None:
    with connected(gateway) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = answer_of(connection)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert code.encode() in answer
    assert b"DOE" not in answer


@pytest.fixture(scope="module")
def gateway() -> object:
    """Give a gateway that several tests share."""
    with serving() as running:
        yield running
        assert running.end() == 0
        assert len(running.said) == 1


def test_one_connection_serves_many_requests(gateway: Running) -> None:
    with requests.Session() as session:
        for _ in range(3):
            session.get(f"{gateway.url}/healthz", timeout=20).raise_for_status()
        first = session.post(f"{gateway.url}/map", data=ONE, headers=DICOM, timeout=20)
        second = session.post(f"{gateway.url}/map", data=b"", headers=DICOM, timeout=20)
        third = session.post(f"{gateway.url}/map", data=ONE, headers=DICOM, timeout=20)
    assert [one.status_code for one in (first, second, third)] == [200, 400, 200]
    assert first.content == third.content


def test_many_at_a_time_are_all_answered(gateway: Running) -> None:
    found = []

    def ask() -> None:
        with requests.Session() as session:
            for _ in range(10):
                answer = session.post(f"{gateway.url}/map", data=ONE, headers=DICOM, timeout=20)
                found.append((answer.status_code, answer.content))

    threads = [Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 80
    assert {status for status, _ in found} == {200}
    assert len({content for _, content in found}) == 1


def test_by_its_own_certificate_it_speaks_tls_and_knows_its_tokens(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.host("127.0.0.1")
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-for-this-test\n")
    tokens.chmod(0o600)
    given = ("--host", "0.0.0.0", "--token-file", tokens)  # noqa: S104 - what it is about
    tls = ("--tls-certificate", files.certificate, "--tls-key", files.key)
    with serving(*given, *tls) as gateway:
        assert gateway.url.startswith("https://0.0.0.0:")
        url = f"https://127.0.0.1:{gateway.port}/metrics"
        verify = str(authority.file)
        bare = requests.get(url, verify=verify, timeout=20, headers=CLOSE)
        head = CLOSE | {"Authorization": "Bearer a-token-for-this-test"}
        let_in = requests.get(url, headers=head, verify=verify, timeout=20)
        assert (bare.status_code, let_in.status_code) == (401, 200)
        assert gateway.end() == 0


def test_connections_beyond_the_limit_are_told_to_come_back(gateway: Running) -> None:
    held = [connected(gateway) for _ in range(256)]
    try:
        deadline = time.monotonic() + 20
        refused = b""
        while b" 429 " not in refused and time.monotonic() < deadline:
            with connected(gateway) as more:
                more.settimeout(0.2)
                try:
                    refused = answer_of(more)
                except TimeoutError:
                    continue
        assert refused.startswith(b"HTTP/1.1 429 ")
    finally:
        for one in held:
            one.close()
    while True:
        try:
            requests.get(f"{gateway.url}/healthz", timeout=20).raise_for_status()
            break
        except requests.RequestException:
            assert time.monotonic() < deadline
