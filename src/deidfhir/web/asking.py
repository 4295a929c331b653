"""One attempt of one request: sent with what lets it in, and judged by what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.version import __version__
from deidfhir.web.access.access import Access
from deidfhir.web.access.broken import broken
from deidfhir.web.address import below, without_credentials
from deidfhir.web.connections import Connections, Received, TooLargeError, within
from deidfhir.web.diagnostics import issues_of
from deidfhir.web.events import Events
from deidfhir.web.numbers import decoded
from deidfhir.web.outcome import Rejected, server_code
from deidfhir.web.recovery import Recovery
from deidfhir.web.request import Answer, Request
from deidfhir.web.speech import FHIR, Speech
from deidfhir.web.timing import Clock
from deidfhir.web.traffic import Traffic

Result = TypeVar("Result")
_NOT_CARRIED_OUT = frozenset({425, 429})
"""What a server, or who stands before it, says before it does anything."""


class Again(Exception):  # noqa: N818 - control flow: whoever asks decides whether to ask again
    """An attempt that failed, and may be made again.

    Args:
        reason: What to tell if it is not.
        floor: Seconds that the server asks to wait; None where it concerns this request alone.
        unsettled: Whether it may have been carried out.
    """

    def __init__(self, reason: DeidFhirError, floor: float | None, *, unsettled: bool) -> None:
        super().__init__()
        self.reason, self.floor, self.unsettled = reason, floor, unsettled


class _NotLetIn(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.status, self.headers = status, headers


@dataclass(frozen=True, slots=True)
class Asking:
    """Makes attempts.

    Args:
        base_url: FHIR base URL.
        timeout: Seconds, as the operator gave them.
        clock: The time.
        connections: Exchange bytes.
        access: How the server is got at.
        traffic: Counts what is answered.
        events: Told of what is answered.
        speech: What the server speaks.
    """

    base_url: str
    timeout: float
    clock: Clock
    connections: Connections
    access: Access
    traffic: Traffic
    events: Events = field(default_factory=Events)
    speech: Speech = FHIR

    def ask(self, request: Request, until: float) -> Answer:
        """Ask once, and where the credentials are refused, at once again with fresh ones.

        Args:
            request: What is asked.
            until: Instant of the monotonic clock at which its time is over.

        Raises:
            Again: It failed, and may be asked again.
            RetriableError: `target-silent` or `token-silent`.
            FatalError: No access, `not-fhir`, `answer-unexpected` or `too-large`.
            Rejected: The server refuses this request.
        """
        url = below(self.base_url, request.path)
        if url is None:  # before anything secret is sent anywhere
            raise FatalError("answer-unexpected", url=self._shown, what="a link to another server")
        renewed = False
        while True:
            sent = self._in_time(self.access.headers, until)
            try:
                return self._once(request, url, sent, until)
            except _NotLetIn as refused:
                status, answered = refused.status, refused.headers
            fresh = partial(self.access.renew, sent)
            if renewed or status != 401 or not self._in_time(fresh, until):
                raise self.access.refusal(status, answered, self._shown, self.clock)
            renewed = True

    @property
    def _shown(self) -> str:
        return without_credentials(self.base_url)

    def _left(self, until: float) -> float:
        return max(0.1, until - self.clock.monotonic())

    def _in_time(self, work: Callable[[], Result], until: float) -> Result:
        """Return what may ask a token endpoint, which may be down, busy or silent too."""
        try:
            return within(self._left(until), work) if self.access.credentials.asks else work()
        except TimeoutError:
            raise RetriableError("token-silent", seconds=self.timeout) from None
        except RetriableError as error:
            raise Again(error, 0.0, unsettled=False) from None

    def _once(self, request: Request, url: str, sent: Mapping[str, str], until: float) -> Answer:
        own = {"Accept": self.speech.accept, "User-Agent": f"deidfhir/{__version__}"}
        headers = {**own, **request.headers, **sent}
        if request.data is not None:
            headers["Content-Type"] = f"{self.speech.accept}; charset=utf-8"
        begun = self.clock.monotonic()
        try:
            received = self._received(request, url, headers, self._left(until))
        except (Again, DeidFhirError):
            self.traffic.lost()
            self.events("unanswered", milliseconds=self._since(begun), **request.told)
            raise
        size, took = received.size, self.clock.monotonic() - begun
        self.traffic.answered(received.status, size, took)
        told = {"status": received.status, "received": size, "milliseconds": self._since(begun)}
        self.events("answered", **told, **request.told)
        return self._judged(request, received)

    def _since(self, begun: float) -> int:
        return round(1000 * (self.clock.monotonic() - begun))

    def _received(
        self, request: Request, url: str, headers: Mapping[str, str], seconds: float
    ) -> Received:
        try:
            given = (request.method, url, request.data, headers, seconds)
            return self.connections.exchange(*given, take=request.taking if request.take else None)
        except TooLargeError:
            raise FatalError("too-large", url=self._shown, limit=self.connections.most) from None
        except requests.exceptions.ConnectTimeout:
            raise self._down("no connection in time", unsettled=False) from None
        except (requests.exceptions.Timeout, TimeoutError):
            raise RetriableError("target-silent", url=self._shown, seconds=self.timeout) from None
        except (OSError, HTTPError) as error:  # RequestException is an OSError
            raise self._broken(error) from None
        except (ValueError, RecursionError):  # of what is taken as it comes
            reason = FatalError(self.speech.wrong, url=self._shown, status=200)
            raise Again(reason, None, unsettled=True) from None

    def _broken(self, error: Exception) -> Exception:
        told = broken(error, self._shown, self.access.connection)
        if isinstance(told, FatalError):
            return told
        unsettled = not _is_unsent(error)
        if told is None:
            return self._down(type(error).__name__, unsettled=unsettled)
        return Again(told, 0.0, unsettled=unsettled)

    def _down(self, what: str, *, unsettled: bool) -> Again:
        reason = RetriableError("target-down", url=self._shown, what=what)
        return Again(reason, 0.0, unsettled=unsettled)

    def _judged(self, request: Request, received: Received) -> Answer:
        status, parsed = received.status, _json(received.content)
        if received.taken is not None:
            return Answer(status, {}, received.taken)
        if 200 <= status < 300:
            if received.content and parsed is None:
                raise self._garbled(request, received)
            return Answer(status, parsed or {})
        rejected = Rejected(status, server_code(parsed), issues_of(parsed))
        recovery = rejected.recovery
        if recovery in (Recovery.LOGIN, Recovery.STOP):
            raise _NotLetIn(status, received.headers)
        if recovery is Recovery.LATER:
            floor = self._retry_after(received.headers)
            told = f", after {floor:.0f} s" if floor else ""
            busy = RetriableError("target-busy", url=self._shown, status=status, wait=told)
            raise Again(busy, floor or 0.0, unsettled=status not in _NOT_CARRIED_OUT)
        if recovery in (Recovery.BROKEN, Recovery.CONFLICT):
            raise Again(rejected, None, unsettled=recovery is Recovery.BROKEN)
        if (
            status in self.speech.of_the_request
            or (parsed or {}).get("resourceType") == "OperationOutcome"
        ):
            raise rejected
        raise FatalError(self.speech.wrong, url=self._shown, status=status)

    def _garbled(self, request: Request, received: Received) -> Again | FatalError:
        """Return what to raise where an answer is no object: not FHIR, or FHIR that broke."""
        reason = FatalError(self.speech.wrong, url=self._shown, status=received.status)
        if request.settles or received.content.lstrip().startswith(b"{"):
            return Again(reason, None, unsettled=True)
        return reason

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Return Retry-After in seconds, from seconds or an HTTP date (RFC 9110 10.2.3)."""
        text = headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        until = _instant(text)
        if until is None:
            return None
        # By the clock of whoever names the date: ours may be another.
        now = _instant(headers.get("Date", ""))
        return max(0.0, until - (self.clock.now() if now is None else now))


def _instant(text: str) -> float | None:
    """Return an HTTP date in seconds since the epoch, or None if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _is_unsent(error: Exception) -> bool:
    """Whether a connection was not even made."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _json(content: bytes) -> JsonObject | None:
    try:
        parsed = decoded(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
