"""HTTP to one FHIR server: time-outs always, simple retry, errors by recovery, no value shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import requests

from deidfhir.errors import FatalError, RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.outcome import Rejected, server_code
from deidfhir.sync.timing import DEFAULT_TIMEOUT, Clock
from deidfhir.version import __version__

MIME = "application/fhir+json"
_CONNECT_TIMEOUT = 5.0
_FIRST_PAUSE = 0.5
_LIMIT = 64 * 1024 * 1024
_BUSY = frozenset({408, 425, 429, 502, 503, 504})
_CONFLICT, _BROKEN = HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR
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
        base_url: FHIR base URL; credentials in it are used and never shown.
        timeout: Seconds for one request with all its repetitions.
        clock: The time.
    """

    base_url: str
    timeout: float = DEFAULT_TIMEOUT
    clock: Clock = field(default_factory=Clock)
    session: requests.Session = field(default_factory=requests.Session)
    count: int = 0

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
            RetriableError: `target-down`, `target-silent` or `target-busy`.
            FatalError: `unauthorised`, `not-fhir`, `answer-unexpected` or `too-large`.
            Rejected: The server refuses this request for good.
        """
        deadline = self.clock.monotonic() + self.timeout
        pause, tries = _FIRST_PAUSE, 0
        while True:
            tries += 1
            try:
                return self._once(method, path, body, headers or {}, deadline)
            except _Again as again:
                wait = max(pause, again.wait or 0.0)
                spent = again.bounded and tries >= _TRIES
                if spent or self.clock.monotonic() + wait >= deadline:
                    raise again.reason from None
            self.clock.sleep(wait)
            pause *= 2

    def _once(
        self,
        method: str,
        path: str,
        body: JsonObject | None,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Answer:
        left = max(0.1, deadline - self.clock.monotonic())
        given = {"Accept": MIME, "User-Agent": f"deidfhir/{__version__}", **headers}
        if body is not None:
            given["Content-Type"] = f"{MIME}; charset=utf-8"
        self.count += 1
        try:
            response = self.session.request(
                method,
                self.base_url.rstrip("/") + path,
                data=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
                headers=given,
                timeout=(min(_CONNECT_TIMEOUT, left), left),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = self._content(response, deadline)
        except requests.exceptions.ConnectTimeout:
            raise _Again(self._down("no connection in time")) from None
        except requests.exceptions.Timeout:
            raise RetriableError(
                "target-silent", url=self.shown_url, seconds=self.timeout
            ) from None
        except requests.exceptions.RequestException as error:
            raise _Again(self._down(type(error).__name__)) from None
        return self._judged(response, content)

    def _content(self, response: requests.Response, deadline: float) -> bytes:
        content = b""
        for chunk in response.iter_content(64 * 1024):
            content += chunk
            if len(content) > _LIMIT:
                raise FatalError("too-large", url=self.shown_url, limit=_LIMIT)
            if self.clock.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout
        return content

    def _judged(self, response: requests.Response, content: bytes) -> Answer:
        status = response.status_code
        parsed = _json(content)
        if 200 <= status < 300:
            if content and parsed is None:
                raise FatalError("not-fhir", url=self.shown_url, status=status)
            return Answer(status, parsed or {})
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise FatalError("unauthorised", url=self.shown_url, status=status)
        rejected = Rejected(status, server_code(parsed))
        if status in _BUSY:
            wait = self._retry_after(response)
            told = f", after {wait:.0f} s" if wait else ""
            busy = RetriableError("target-busy", url=self.shown_url, status=status, wait=told)
            raise _Again(busy, wait)
        if status == _BROKEN or (status == _CONFLICT and rejected.is_conflict):
            raise _Again(rejected, bounded=True)
        if parsed is None or parsed.get("resourceType") != "OperationOutcome":
            raise FatalError("not-fhir", url=self.shown_url, status=status)
        raise rejected

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return Retry-After in seconds, from seconds or an HTTP date (RFC 9110 10.2.3)."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self.clock.now())
        except (TypeError, ValueError):
            return None

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


def without_credentials(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _json(content: bytes) -> JsonObject | None:
    try:
        parsed = json.loads(content)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
