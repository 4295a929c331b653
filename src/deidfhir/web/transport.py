"""Requests to one FHIR server: repeated at the run's pace while there is time, no value shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deidfhir.errors import DeidFhirError
from deidfhir.fhir.types import JsonObject
from deidfhir.web.access.access import Access
from deidfhir.web.address import without_credentials
from deidfhir.web.asking import Again, Asking
from deidfhir.web.connections import Connections
from deidfhir.web.events import Events
from deidfhir.web.numbers import encoded
from deidfhir.web.outcome import Rejected
from deidfhir.web.pace import Pace
from deidfhir.web.request import Answer, Request, Take
from deidfhir.web.speech import FHIR, Speech
from deidfhir.web.timing import DEFAULT_TIMEOUT, Clock, Term
from deidfhir.web.traffic import Traffic

FIRST_PAUSE = 0.5
_NOTICEABLE = 0.001
TRIES = 3
"""How often a request is sent that the server fails on."""


class Unsettled(Exception):  # noqa: N818 - a state of affairs: the caller looks what came of it
    """A request may or may not have been carried out.

    Args:
        reason: What to tell if it cannot be found out.
        bounded: Whether to send it a few times only.
    """

    def __init__(self, reason: DeidFhirError, *, bounded: bool) -> None:
        super().__init__()
        self.reason, self.bounded = reason, bounded


@dataclass(slots=True)
class Transport:
    """Requests to one base URL, from as many threads as there are.

    Args:
        base_url: FHIR base URL.
        timeout: Seconds for one request with all its repetitions.
        clock: The time.
        access: How the server is got at.
        connections: Exchange bytes; by default one, by the sessions of `access`.
        traffic: Counts the requests.
        events: Told of each request.
        speech: What the server speaks.
    """

    base_url: str
    timeout: float = DEFAULT_TIMEOUT
    clock: Clock = field(default_factory=Clock)
    access: Access = field(default_factory=Access)
    connections: Connections | None = None
    traffic: Traffic = field(default_factory=Traffic)
    events: Events = field(default_factory=Events)
    speech: Speech = FHIR
    gzip: bool = False
    """Whether bodies are sent compressed; no more once the server has refused one."""

    pace: Pace = field(init=False)
    _gzip_taken: bool = field(default=False, init=False)
    _asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the pace of a target that is not known yet."""
        several = self.connections or Connections(self.access.session)
        self.pace = Pace(several.number, self.clock)
        self._asking = Asking(
            *(self.base_url, self.timeout, self.clock, several, self.access, self.traffic),
            *(self.events, self.speech),
        )

    @property
    def shown_url(self) -> str:
        """The base URL without credentials."""
        return without_credentials(self.base_url)

    def send(  # noqa: PLR0913 - the parts of a request, by name
        self,
        method: str,
        path: str = "",
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        take: Take | None = None,
        settling: Term | None = None,
        before: int = 0,
    ) -> Answer:
        """Send one request, repeating it while the target is down or busy and time is left.

        Args:
            method: HTTP method.
            path: What follows the base URL, with its query.
            body: JSON to send.
            headers: Headers beside those that every request carries.
            take: What is made of each object of the answer, where that is an array; it is made as
                the answer comes, which is never held whole.
            settling: Given by a caller who finds out what came of it before it is repeated: the
                time that all attempts have together. By default that is what `timeout` says.
            before: How often that caller has sent it before.

        Raises:
            RetriableError: `target-down`, `target-silent` or `target-busy`, or no token for now.
            FatalError: `not-fhir`, `answer-unexpected` or `too-large`, or no access.
            Rejected: The server refuses this request; its `recovery` says what goes on.
            Unsettled: It may have been carried out; only if the caller settles that.
        """
        data = None if body is None else encoded(body).encode()
        given = {**(headers or {}), "X-Request-ID": self.events.request_id()}
        plain = Request(method, path, data, given, settling is not None, take=take)
        if not self.gzip or data is None:
            return self._repeated(plain, settling, before)
        try:
            answer = self._repeated(plain.compressed(), settling, before)
        except Rejected as refused:
            # It may be compressed bodies that the server refuses: it has taken none so far.
            if self._gzip_taken or refused.status not in (400, 415):
                raise
            self.gzip = False
            return self._repeated(plain, settling, before + 1)
        self._gzip_taken = True
        return answer

    def _repeated(self, request: Request, settling: Term | None, before: int) -> Answer:
        term = settling or Term(self.timeout)
        tries = 0
        while True:
            tries += 1
            request = replace(request, attempt=before + tries)
            with self.pace.turn(is_write=request.settles):
                begun = self.clock.monotonic()
                until = term.begin(begun)
                self.pace.wait(until)
                self._waited(request, self.clock.monotonic() - begun)
                self.traffic.sending(len(request.data or b""), again=before + tries > 1)
                asked = self.clock.monotonic()
                try:
                    answer = self._asking.ask(request, until)
                except Again as again:
                    pause = self._pause_after(again, request, tries, begun)
                    if self.clock.monotonic() + pause >= until:
                        raise again.reason from None
                else:
                    took, size = self.clock.monotonic() - asked, len(request.data or b"")
                    self.pace.went_well(took, size, is_write=request.settles)
                    return answer
            if pause:
                self._waited(request, pause)
                self.clock.sleep(pause)

    def _waited(self, request: Request, seconds: float) -> None:
        if seconds >= _NOTICEABLE:
            self.traffic.pausing(seconds)
            told = {key: request.told[key] for key in ("request", "attempt")}
            self.events("waiting", seconds=round(seconds, 3), **told)

    def _pause_after(self, again: Again, request: Request, tries: int, begun: float) -> float:
        """Return how long this request alone pauses before it is sent again.

        Raises:
            DeidFhirError: It is not sent again.
            Unsettled: Not before it is known what came of it.
        """
        if again.floor is not None:
            self.pace.failed(begun, again.floor, again.reason, is_write=request.settles)
        else:
            self.pace.stumbled(begun)
        if request.settles and again.unsettled:
            raise Unsettled(again.reason, bounded=again.floor is None) from None
        if again.floor is not None:
            return 0.0
        if tries >= TRIES:
            raise again.reason from None
        return float(FIRST_PAUSE * 2 ** (tries - 1) * self.clock.random())
