"""What the requests of a run cost, in words and as an object."""

from __future__ import annotations

from deidfhir.cli.traffic import traffic_lines, traffic_object
from deidfhir.web.traffic import Traffic


def busy() -> Traffic:
    """Return the traffic of a run with four answers."""
    traffic = Traffic(unanswered=1, repeated=2, waited=1.25, sent=1000)
    for status, seconds in ((503, 0.5), (200, 0.0104), (200, 0.02), (200, 0.03)):
        traffic.answered(status, 50, seconds)
    return traffic


def test_people_are_told_statuses_repetitions_bytes_and_times() -> None:
    assert traffic_lines(busy(), 2.0) == [
        "requests  5: 3 HTTP 200, 1 HTTP 503, 1 unanswered, 2 repeated",
        "bytes     1000 sent, 200 received",
        "time      2.0 s, 2.5 requests/s, 1.2 s waited to repeat",
        "answers   p50 0.020 s, p95 0.500 s, p99 0.500 s",
    ]


def test_what_did_not_happen_is_not_told() -> None:
    assert traffic_lines(Traffic(), 2.0) == ["requests  0"]
    assert traffic_lines(Traffic(unanswered=2), 0.0) == [
        "requests  2: 2 unanswered",
        "bytes     0 sent, 0 received",
        "time      0.0 s",
    ]


def test_programs_are_told_the_same_in_milliseconds() -> None:
    assert traffic_object(busy(), 2.0) == {
        "statuses": {"200": 3, "503": 1},
        "unanswered": 1,
        "repeated": 2,
        "waited": 1.25,
        "rate": 2.5,
        "sent": 1000,
        "received": 200,
        "seconds": {"p50": 0.02, "p95": 0.5, "p99": 0.5},
    }
    assert traffic_object(Traffic(), 2.0)["seconds"] == {"p50": None, "p95": None, "p99": None}
