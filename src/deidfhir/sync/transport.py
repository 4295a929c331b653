"""HTTP to one FHIR server: time-outs always, retries with jitter, no value shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Thread
from typing import TypeVar

import requests
from urllib3.exceptions import HTTPError

from deidfhir.errors import FatalError, RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.access.access import Access
from deidfhir.sync.access.broken import broken
from deidfhir.sync.address import without_credentials
from deidfhir.sync.diagnostics import issues_of
from deidfhir.sync.outcome import Rejected, server_code
from deidfhir.sync.recovery import Recovery
from deidfhir.sync.timing import DEFAULT_TIMEOUT, Clock
from deidfhir.sync.traffic import Traffic
from deidfhir.version import __version__

Result = TypeVar("Result")
_Received = tuple[int, Mapping[str, str], bytes]
MIME = "application/fhir+json"
_CONNECT_TIMEOUT = 5.0
_FIRST_PAUSE = 0.5
_LIMIT = 64 * 1024 * 1024
_OF_THE_CONTENT = frozenset({400, 409, 410, 412, 413, 415, 422})
"""What concerns one request, even where a proxy says it without an OperationOutcome."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server.

    Args:
        status: HTTP status, 2xx.
        body: The JSON object of the body, empty without one.
    """

    status: int
    body: JsonObject


@dataclass(slots=True)
class Transport:
    """Requests to one base URL.

    Args:
        base_url: FHIR base URL.
        timeout: Seconds for one request with all its repetitions.
        clock: The time.
        session: One of `access`.
        access: How the server is got at.
    """

    base_url: str
    timeout: float = DEFAULT_TIMEOUT
    clock: Clock = field(default_factory=Clock)
    session: requests.Session = field(default_factory=lambda: Access().session())
    traffic: Traffic = field(default_factory=Traffic)
    access: Access = field(default_factory=Access)

    @property
    def shown_url(self) -> str:
        """The base URL without credentials."""
        return without_credentials(self.base_url)

    def send(
        self,
        method: str,
        path: str = "",
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, repeating it while the target is down or busy and time is left.

        Args:
            method: HTTP method.
            path: What follows the base URL, with its query.
            body: JSON to send.
            headers: Headers beside those that every request carries.

        Raises:
            RetriableError: `target-down`, `target-silent` or `target-busy`, or no token for now.
            FatalError: `not-fhir`, `answer-unexpected` or `too-large`, or no access.
            Rejected: The server refuses this request; its `recovery` says what goes on.
        """
        deadline = self.clock.monotonic() + self.timeout
        pause, tries = _FIRST_PAUSE, 0
        while True:
            tries += 1
            try:
                return self._let_in(method, path, body, headers or {}, deadline)
            except _Again as again:
                # Full jitter: clients that were refused together do not come back together.
                wait = max(pause * self.clock.random(), again.wait or 0.0)
                spent = again.bounded and tries >= _TRIES
                if spent or self.clock.monotonic() + wait >= deadline:
                    raise again.reason from None
            self.clock.sleep(wait)
            self.traffic.repeated += 1
            pause *= 2

    def _let_in(
        self,
        method: str,
        path: str,
        body: JsonObject | None,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Answer:
        """Send once, and where the credentials are refused, at once again with fresh ones."""
        renewed = False
        while True:
            sent = self._in_time(self.access.headers, deadline)
            try:
                return self._once(method, path, body, {**headers, **sent}, deadline)
            except _NotLetIn as refused:
                status, answered = refused.status, refused.headers
            fresh = partial(self.access.renew, sent)
            if renewed or status != 401 or not self._in_time(fresh, deadline):
                raise self.access.refusal(status, answered, self.shown_url, self.clock)
            renewed = True

    def _in_time(self, work: Callable[[], Result], deadline: float) -> Result:
        """Return what may ask a token endpoint, which may be down, busy or silent too."""
        try:
            return within(max(0.1, deadline - self.clock.monotonic()), work)
        except TimeoutError:
            raise RetriableError("token-silent", seconds=self.timeout) from None
        except RetriableError as error:
            raise _Again(error) from None

    def _once(
        self,
        method: str,
        path: str,
        body: JsonObject | None,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Answer:
        given = {"Accept": MIME, "User-Agent": f"deidfhir/{__version__}", **headers}
        if body is not None:
            given["Content-Type"] = f"{MIME}; charset=utf-8"
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        left = max(0.1, deadline - self.clock.monotonic())

        def exchange() -> _Received:
            with self.session.request(
                method,
                self.base_url.rstrip("/") + path,
                data=data,
                headers=given,
                timeout=(min(_CONNECT_TIMEOUT, left), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, self._content(response)

        self.traffic.sent += len(data or b"")
        return self._judged(*self._received(left, exchange))

    def _received(self, left: float, exchange: Callable[[], _Received]) -> _Received:
        begun = self.clock.monotonic()
        # Until it is answered, however that ends.
        self.traffic.unanswered += 1
        try:
            status, answered, content = within(left, exchange)
        except requests.exceptions.ConnectTimeout:
            raise _Again(self._down("no connection in time")) from None
        except (requests.exceptions.Timeout, TimeoutError):
            raise RetriableError(
                "target-silent", url=self.shown_url, seconds=self.timeout
            ) from None
        except (requests.exceptions.RequestException, HTTPError) as error:
            raise self._broken(error) from None
        self.traffic.unanswered -= 1
        self.traffic.answered(status, len(content), self.clock.monotonic() - begun)
        return status, answered, content

    def _content(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(64 * 1024):
            content += chunk
            if len(content) > _LIMIT:
                raise FatalError("too-large", url=self.shown_url, limit=_LIMIT)
        return bytes(content)

    def _judged(self, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        parsed = _json(content)
        if 200 <= status < 300:
            if content and parsed is None:
                raise FatalError("not-fhir", url=self.shown_url, status=status)
            return Answer(status, parsed or {})
        rejected = Rejected(status, server_code(parsed), issues_of(parsed))
        recovery = rejected.recovery
        if recovery in (Recovery.LOGIN, Recovery.STOP):
            raise _NotLetIn(status, headers)
        if recovery is Recovery.LATER:
            wait = self._retry_after(headers)
            told = f", after {wait:.0f} s" if wait else ""
            busy = RetriableError("target-busy", url=self.shown_url, status=status, wait=told)
            raise _Again(busy, wait)
        if recovery in (Recovery.BROKEN, Recovery.CONFLICT):
            raise _Again(rejected, bounded=True)
        if status in _OF_THE_CONTENT or (parsed or {}).get("resourceType") == "OperationOutcome":
            raise rejected
        raise FatalError("not-fhir", url=self.shown_url, status=status)

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Return Retry-After in seconds, from seconds or an HTTP date (RFC 9110 10.2.3)."""
        text = headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self.clock.now())
        except (TypeError, ValueError, OverflowError):
            return None

    def _broken(self, error: Exception) -> Exception:
        told = broken(error, self.shown_url, self.access.connection)
        if isinstance(told, FatalError):
            return told
        return _Again(told or self._down(type(error).__name__))

    def _down(self, what: str) -> RetriableError:
        return RetriableError("target-down", url=self.shown_url, what=what)


class _Again(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(
        self,
        reason: RetriableError | Rejected,
        wait: float | None = None,
        *,
        bounded: bool = False,
    ) -> None:
        super().__init__()
        self.reason, self.wait, self.bounded = reason, wait, bounded


class _NotLetIn(Exception):  # noqa: N818 - control flow, never seen outside
    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.status, self.headers = status, headers


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what some work returns, or leave it behind when its time is over.

    The time-outs of HTTP libraries count from byte to byte: an answer that drips never ends.

    Raises:
        TimeoutError: The work is not done in time.
    """
    done: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failed.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]


def _json(content: bytes) -> JsonObject | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
