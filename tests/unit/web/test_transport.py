"""HTTP with a clock of our own: how often, how long apart, and what is said in the end."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
import requests

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.web.address import without_credentials
from deidfhir.web.connections import Connections
from deidfhir.web.outcome import Rejected
from deidfhir.web.timing import Clock
from deidfhir.web.transport import Transport

BASE = "http://server.example/fhir"
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"code":"processing"}]}'


Reply = tuple[int, bytes, dict[str, str]]


class Session(requests.Session):
    """Answers from a list, and goes on with its last entry."""

    def __init__(self, answers: Iterable[Reply | Exception]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        """Answer, or raise."""
        self.asked.append((method, url, options))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, content, headers = answer
        response = requests.Response()
        response.status_code, response.raw = status, BytesIO(content)
        response.headers.update(headers)
        return response


class Time:
    """A clock that only sleep moves."""

    def __init__(self, spread: float = 1.0) -> None:
        self.moment, self.pauses, self.spread = 1000.0, list[float](), spread

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.moment += seconds

    def clock(self) -> Clock:
        """Return the clock."""
        return Clock(
            now=lambda: self.moment,
            monotonic=lambda: self.moment,
            sleep=self.sleep,
            random=lambda: self.spread,
        )


def sent(
    *answers: Reply | Exception, timeout: float = 25.0, spread: float = 1.0
) -> tuple[Any, Time, Session]:
    """Send one request; return the answer or the error, the time and the session."""
    time, session = Time(spread), Session(answers)
    transport = Transport(BASE, timeout, time.clock(), connections=Connections(lambda: session))
    try:
        return transport.send("GET", "/metadata"), time, session
    except DeidFhirError as error:
        return error, time, session


OK: Reply = (200, b'{"resourceType":"X"}', {})


def busy(status: int = 503, **headers: str) -> Reply:
    """Return an answer that asks to come back later."""
    return status, OUTCOME, {name.replace("_", "-"): text for name, text in headers.items()}


def test_an_answer_is_its_json() -> None:
    answer, time, session = sent(OK)
    assert (answer.status, answer.body) == (200, {"resourceType": "X"})
    assert (len(session.asked), time.pauses) == (1, [])


def test_every_request_has_time_outs_and_follows_no_redirect() -> None:
    _, _, session = sent(OK)
    ((method, url, options),) = session.asked
    assert (method, url) == ("GET", f"{BASE}/metadata")
    assert options["timeout"] == (5.0, 25.0)
    assert options["allow_redirects"] is False
    assert options["headers"]["Accept"] == "application/fhir+json"


def test_pauses_double_until_the_time_is_over() -> None:
    error, time, session = sent(busy())
    assert isinstance(error, RetriableError)
    assert time.pauses == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert len(session.asked) == 6
    assert sum(time.pauses) < 25


@pytest.mark.parametrize("spread", [0.01, 0.25, 0.999])
def test_clients_that_were_refused_together_do_not_come_back_together(spread: float) -> None:
    _, time, _ = sent(busy(), busy(), busy(), OK, spread=spread)
    assert time.pauses == pytest.approx([0.5 * spread, 1.0 * spread, 2.0 * spread])


def test_the_spread_of_the_pauses_is_random_unless_told() -> None:
    assert len({Clock().random() for _ in range(10)}) > 1


def test_a_connection_that_is_refused_is_tried_again_in_the_same_way() -> None:
    answer, time, _ = sent(requests.ConnectionError("refused"), requests.ConnectTimeout(), OK)
    assert answer.status == 200
    assert time.pauses == [0.5, 1.0]


def test_silence_is_not_tried_again() -> None:
    error, _, session = sent(requests.ReadTimeout())
    assert isinstance(error, RetriableError)
    assert (error.code, len(session.asked)) == ("target-silent", 1)


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ("7", 7.0),
        ("0", 0.5),
        ("-3", 0.5),
        ("7.5", 0.5),
        ("\u0667", 0.5),
        ("Thu, 01 Jan 1970 00:16:52 GMT", 12.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.5),
        ("tomorrow", 0.5),
        ("", 0.5),
    ],
)
def test_retry_after_is_a_floor_in_seconds_or_as_a_date(told: str, pause: float) -> None:
    answer, time, _ = sent(busy(429, Retry_After=told), OK)
    assert answer.status == 200
    assert time.pauses == [pause]


def test_a_date_to_come_back_at_is_read_by_the_clock_of_whoever_names_it() -> None:
    there = "Thu, 01 Jan 2026 00:00:00 GMT"
    later = "Thu, 01 Jan 2026 00:00:07 GMT"
    answer, time, _ = sent(busy(503, Retry_After=later, Date=there), OK)
    assert (answer.status, time.pauses) == (200, [7.0])


def test_a_wait_that_does_not_fit_is_told_instead_of_kept() -> None:
    error, time, session = sent(busy(503, Retry_After="30"))
    assert str(error) == (
        f"{BASE} asks to come back later (HTTP 503, after 30 s): run the same command again then"
    )
    assert (time.pauses, len(session.asked)) == ([], 1)


@pytest.mark.parametrize("status", [500, 520, 529, 409, 423])
def test_a_broken_server_and_a_write_in_between_are_tried_three_times(status: int) -> None:
    error, time, session = sent((status, OUTCOME, {}))
    assert isinstance(error, Rejected)
    assert (time.pauses, len(session.asked)) == ([0.5, 1.0], 3)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "credentials-demanded"), (403, "unauthorised"), (407, "proxy-refused")],
)
def test_a_refusal_of_access_is_final(status: int, code: str) -> None:
    error, _, session = sent((status, OUTCOME, {}))
    assert isinstance(error, FatalError)
    assert (error.code, len(session.asked)) == (code, 1)


@pytest.mark.parametrize("status", [400, 404, 410, 412, 422])
def test_a_refusal_of_the_request_is_final_with_the_servers_code(status: int) -> None:
    error, _, session = sent((status, OUTCOME, {}))
    assert str(error) == f"HTTP {status} processing"
    assert len(session.asked) == 1


def test_a_certificate_that_is_not_trusted_is_final() -> None:
    error, _, session = sent(requests.exceptions.SSLError("PLANTED"))
    assert (error.code, len(session.asked)) == ("tls-failed", 1)
    assert "PLANTED" not in str(error)


def test_the_requests_are_counted_with_their_repetitions() -> None:
    time, session = Time(), Session([busy(), OK])
    transport = Transport(BASE, 25.0, time.clock(), connections=Connections(lambda: session))
    transport.send("GET", "/metadata")
    transport.send("GET", "/metadata")
    assert transport.traffic.requests == 3
    assert transport.traffic.statuses == {503: 1, 200: 2}
    assert (transport.traffic.repeated, transport.traffic.unanswered) == (1, 0)


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [
        (requests.ConnectionError("refused"), 6),
        (requests.ReadTimeout(), 1),
        (requests.exceptions.SSLError("x"), 1),
    ],
)
def test_what_is_not_answered_is_counted_as_such(failure: Exception, attempts: int) -> None:
    time, session = Time(), Session([failure])
    transport = Transport(BASE, 25.0, time.clock(), connections=Connections(lambda: session))
    with pytest.raises(DeidFhirError):
        transport.send("PUT", "/X/1", body={"resourceType": "X"})
    assert (transport.traffic.unanswered, transport.traffic.seconds) == (attempts, [])
    assert transport.traffic.repeated == attempts - 1
    assert transport.traffic.sent == attempts * len(b'{"resourceType": "X"}')


def test_an_answer_is_counted_with_its_bytes_and_its_time() -> None:
    time, session = Time(), Session([OK])
    original = session.request

    def slow(*arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        time.moment += 0.25
        return original(*arguments, **options)

    session.request = slow  # type: ignore[method-assign]
    transport = Transport(BASE, 25.0, time.clock(), connections=Connections(lambda: session))
    transport.send("GET", "/metadata")
    assert transport.traffic.seconds == [0.25]
    assert (transport.traffic.sent, transport.traffic.received) == (0, len(OK[1]))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/fhir", "http://h/fhir"),
        ("http://h:8080/fhir/", "http://h:8080/fhir"),
        ("https://user:secret@h/fhir", "https://h/fhir"),
        ("https://user:se@cret@h/fhir", "https://h/fhir"),
        ("https://token@h/fhir", "https://h/fhir"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
