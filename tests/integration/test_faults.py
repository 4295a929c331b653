"""A target that fails: one line, the right exit code, no traceback, no value of an attribute.

On a loopback socket of our own, for what a real server cannot be made to do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from deidfhir.web.timing import DEFAULT_TIMEOUT
from tests.integration.fake import FakeServer, Reply, capability, http_date, outcome
from tests.integration.support import Archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Cli, Ran
    from tests.integration.listener import Sent

PLANTED = "PLANTED-VALUE"
CUT = b'{"resourceType": "CapabilityStatement", '
HTML = Reply(404, b"<html><body>Not found</body></html>", {"Content-Type": "text/html"})
EMPTY_BUNDLE = {"resourceType": "Bundle", "type": "searchset"}


@pytest.fixture
def run(cli: Cli, archive: Archive, fake: FakeServer) -> Callable[..., Ran]:
    """Run a command on one object against the fake server, a second at most for a request."""
    path = archive.put(1, DeidentificationMethod=PLANTED, PatientID=PLANTED)

    def given(name: str = "sync", *more: object) -> Ran:
        timeout = () if "--timeout" in more else ("--timeout", "1")
        return cli(name, path, "--to", fake.url, *timeout, *more)

    return given


def assert_one_line(ran: Ran, code: int, message: str) -> None:
    """Assert the exit code, the one line on stderr, and that nothing planted shows."""
    assert (ran.code, ran.err) == (code, f"deidfhir: {message}\n")
    assert PLANTED not in ran.out


def test_the_fake_server_itself_is_good_enough(run: Callable[..., Ran]) -> None:
    assert run("sync").code == 0


def test_a_target_that_never_answers_ends_the_run_in_time(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    fake.always(Reply(silent=True))
    begin = time.monotonic()
    ran = run()
    assert time.monotonic() - begin < 1 + 4
    assert_one_line(
        ran,
        5,
        f"{fake.url} did not answer within 1 s: run the same command again later, "
        "or raise --timeout",
    )


def test_the_default_time_out_leaves_five_seconds_of_thirty_for_the_rest() -> None:
    assert DEFAULT_TIMEOUT + 5 <= 30


def test_a_target_that_falls_silent_at_the_transaction_ends_the_run_in_time(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    fake.transaction = lambda _: Reply(silent=True)
    assert run("sync").code == 5
    assert len(fake.writes) == 1


@pytest.mark.parametrize("kind", ["metadata", "search", "transaction"])
def test_a_target_that_answers_byte_by_byte_ends_the_run_in_time(
    run: Callable[..., Ran], fake: FakeServer, kind: str
) -> None:
    setattr(fake, kind, lambda _: Reply(body=capability("4.0.1"), drip=0.1))
    begin = time.monotonic()
    ran = run("sync")
    assert ran.code == 5
    assert time.monotonic() - begin < 1 + 4


def test_a_refused_connection_is_tried_again_and_then_left_for_later(
    cli: Cli, archive: Archive, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}/fhir"
    ran = cli("sync", archive.put(1), "--to", url, "--timeout", "2", "--json")
    assert ran.code == 5
    assert ran.report["requests"] > 1
    assert ran.err.startswith(f"deidfhir: {url} cannot be reached (")
    assert ran.err.endswith("): check that it runs, then run the same command again\n")
    assert ran.err.count("\n") == 1


def test_a_server_that_comes_back_within_the_time_is_waited_for(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    busy = iter([Reply(503), Reply(429)])
    fake.metadata = lambda _: next(busy, Reply(body=capability("4.0.1")))
    assert run("sync", "--timeout", "10").code == 0


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_a_busy_server_is_for_later(run: Callable[..., Ran], fake: FakeServer, status: int) -> None:
    fake.always(Reply(status, outcome(PLANTED)))
    assert_one_line(
        run(),
        5,
        f"{fake.url} asks to come back later (HTTP {status}): run the same command again then",
    )


@pytest.mark.parametrize(
    ("told", "wait"),
    [("120", "120"), (3600, "3600"), (-60, ""), ("soon", "")],
    ids=["seconds", "date", "date that is past", "neither"],
)
def test_a_wait_longer_than_the_time_left_ends_the_run_at_once_and_is_told(
    run: Callable[..., Ran], fake: FakeServer, told: str | int, wait: str
) -> None:
    after = http_date(told) if isinstance(told, int) else told
    fake.always(Reply(503, outcome(), {"Retry-After": after}))
    begin = time.monotonic()
    ran = run()
    assert ran.code == 5
    assert time.monotonic() - begin < 3
    if wait:
        minutes = int(ran.err.partition("after ")[2].partition(" s")[0])
        assert abs(minutes - int(wait)) < 120
        assert len(fake.log) == 1
    else:
        assert "after" not in ran.err


def test_a_wait_that_fits_is_kept(run: Callable[..., Ran], fake: FakeServer) -> None:
    replies = iter([Reply(429, outcome(), {"Retry-After": "2"})])
    fake.metadata = lambda _: next(replies, Reply(body=capability("4.0.1")))
    begin = time.monotonic()
    assert run("sync", "--timeout", "10").code == 0
    assert time.monotonic() - begin >= 2


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            401,
            "asks for credentials: describe them in an access file (--access), see docs/access.md",
        ),
        (403, "refuses access (HTTP 403): check what the user or client may do there"),
    ],
    ids=["401", "403"],
)
@pytest.mark.parametrize("command", ["sync", "verify"])
def test_a_server_that_refuses_access_fails_the_run(
    run: Callable[..., Ran], fake: FakeServer, status: int, told: str, command: str
) -> None:
    fake.always(Reply(status, outcome(PLANTED), {"WWW-Authenticate": "Basic"}))
    assert_one_line(
        run(command),
        1,
        f"{fake.url} {told}",
    )
    assert len(fake.log) == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (HTML, 404),
        (Reply(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}), 200),
        (Reply(200, CUT), 200),
        (Reply(200, b"[" * 100_000), 200),
        (Reply(200, b"\xff\xfe\x00"), 200),
        (Reply(200, b""), 200),
        (Reply(200, b"[]"), 200),
        (Reply(200, {"resourceType": "Patient"}), 200),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), 302),
        (Reply(301, b"", {"Location": "/login"}), 301),
        (Reply(404, outcome(PLANTED)), 404),
        (Reply(418, b"teapot"), 418),
    ],
    ids=[
        *("404 HTML", "200 HTML", "cut JSON", "deep JSON", "not UTF-8", "empty", "list"),
        *("another resource", "redirect", "moved", "404 outcome", "418"),
    ],
)
def test_what_is_no_fhir_server_fails_the_run(
    run: Callable[..., Ran], fake: FakeServer, reply: Reply, status: int
) -> None:
    fake.metadata = lambda _: reply
    assert_one_line(
        run(),
        1,
        f"{fake.url} answers, but not as a FHIR server (HTTP {status}): check the base URL",
    )
    # A part is asked for, then the whole; what only seems to have been cut on its way, again.
    assert len(fake.log) <= 2 or (reply.body == CUT and len(fake.log) <= 6)


def test_a_redirect_of_the_transaction_is_not_followed(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    fake.transaction = lambda _: Reply(307, b"", {"Location": f"{fake.url}/elsewhere"})
    assert run("sync").code == 1
    assert [one.path for one in fake.writes] == ["/fhir"]


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle", "entry": [{"response": {"status": "201 Created"}}]},
        {"resourceType": "Bundle", "entry": [{"response": {"status": "201 Created"}}] * 3},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": [{}, {}]},
        {"resourceType": "Bundle", "entry": [{"response": {"status": "400 Bad Request"}}] * 2},
        {"resourceType": "Bundle", "entry": "none"},
        {"resourceType": "Bundle", "entry": [None, None]},
        {},
    ],
    ids=["fewer", "more", "none", "without status", "400", "no list", "null", "empty"],
)
def test_an_answer_that_does_not_match_the_transaction_acknowledges_nothing(
    run: Callable[..., Ran], fake: FakeServer, body: dict[str, object]
) -> None:
    good, fake.transaction = fake.transaction, lambda _: Reply(body=body)
    assert_one_line(
        run("sync"),
        1,
        f"{fake.url} answered with something that is no answer to the request "
        "(entries do not match): check the base URL and what stands before the server",
    )
    fake.transaction = good
    again = run("sync", "--json")
    assert (again.code, again.report["resources"]["created"]) == (0, 2)


@pytest.mark.parametrize(
    "body",
    [
        outcome(PLANTED),
        {**EMPTY_BUNDLE, "entry": "none"},
        {**EMPTY_BUNDLE, "entry": [None]},
        {**EMPTY_BUNDLE, "link": [{"relation": "next"}]},
        {**EMPTY_BUNDLE, "entry": [{"resource": {"resourceType": "ImagingStudy"}}]},
    ],
    ids=["outcome", "no list", "null", "next without URL", "without id"],
)
@pytest.mark.parametrize("command", ["sync", "verify"])
def test_a_search_answer_of_another_form_fails_the_run(
    run: Callable[..., Ran], fake: FakeServer, body: dict[str, object], command: str
) -> None:
    fake.search = lambda _: Reply(body=body)
    ran = run(command)
    assert ran.code == 1
    assert ran.err.startswith(f"deidfhir: {fake.url} answered with something that is no answer")
    assert ran.err.count("\n") == 1
    assert PLANTED not in ran.err + ran.out


def test_pages_that_never_end_do_not_keep_the_run_going(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    def same_page(sent: Sent) -> Reply:
        if len(fake.log) > 300:
            return Reply(503)
        return Reply(body={**EMPTY_BUNDLE, "link": [{"relation": "next", "url": sent.path}]})

    fake.search = same_page
    assert run("sync").code == 1
    assert len(fake.log) < 300


@pytest.mark.parametrize("kind", ["metadata", "search", "transaction"])
def test_a_body_that_is_cut_off_is_never_taken_for_an_answer(
    run: Callable[..., Ran], fake: FakeServer, kind: str
) -> None:
    whole = {"metadata": capability("4.0.1"), "search": EMPTY_BUNDLE, "transaction": EMPTY_BUNDLE}
    setattr(fake, kind, lambda _: Reply(body=whole[kind], cut=5))
    ran = run("sync")
    assert ran.code == 5
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


def test_an_answer_that_is_far_too_large_fails_the_run(
    run: Callable[..., Ran], fake: FakeServer
) -> None:
    fake.metadata = lambda _: Reply(body=b" " * (64 * 1024 * 1024 + 1))
    begin = time.monotonic()
    assert_one_line(
        run("sync", "--timeout", "20"),
        1,
        f"{fake.url} sends an answer over 67108864 bytes: this is no answer to what was asked",
    )
    assert time.monotonic() - begin < 5
