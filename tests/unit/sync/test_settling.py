"""A write of which nobody knows what came of it is looked up before it is sent again."""

from __future__ import annotations

import pytest

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.sync.settling import settled
from deidfhir.web.outcome import Rejected
from deidfhir.web.timing import Term
from deidfhir.web.transport import Unsettled
from tests.unit.web.test_transport import Time

DOWN = RetriableError("target-down", url="u", what="w")
BROKEN = Rejected(500, "exception")
WRITTEN = ["created"]


class Server:
    """Answers from one list, and is found to hold what another says."""

    def __init__(self, answers: list[Exception | list[str]], held: list[bool]) -> None:
        self.time, self.answers, self.held = Time(), answers, held
        self.log: list[str] = []

    def send(self, term: Term) -> list[str]:
        """Answer, a second after it is its turn."""
        assert term.begin(self.time.moment) == 1025.0
        self.time.moment += 1
        self.log.append("send")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def found(self) -> list[str] | None:
        """Tell what is there."""
        self.log.append("look")
        return ["updated"] if self.held.pop(0) else None

    def result(self) -> list[str]:
        """Return what comes of it."""
        return settled(self.send, self.found, self.time.clock(), 25.0)


def test_a_write_that_is_answered_is_not_looked_up() -> None:
    server = Server([WRITTEN], [])
    assert (server.result(), server.log) == (WRITTEN, ["send"])


def test_a_write_that_arrived_in_spite_of_its_answer_is_not_sent_again() -> None:
    server = Server([Unsettled(DOWN, bounded=False)], [True])
    assert (server.result(), server.log) == (["updated"], ["send", "look"])


def test_a_write_that_did_not_arrive_is_sent_again() -> None:
    server = Server([Unsettled(DOWN, bounded=False), WRITTEN], [False])
    assert (server.result(), server.log) == (WRITTEN, ["send", "look", "send"])


def test_a_write_on_which_the_server_breaks_is_sent_three_times() -> None:
    server = Server([Unsettled(BROKEN, bounded=True)] * 4, [False] * 4)
    with pytest.raises(Rejected) as caught:
        server.result()
    assert (caught.value, server.log) == (BROKEN, ["send", "look"] * 3)
    assert server.time.pauses == [0.5, 1.0]


def test_a_write_to_a_server_that_is_down_ends_with_its_time() -> None:
    server = Server([Unsettled(DOWN, bounded=False)] * 30, [False] * 30)
    with pytest.raises(DeidFhirError) as caught:
        server.result()
    assert (caught.value, server.log) == (DOWN, ["send", "look"] * 25)
