"""HTTP connections to one server: one exchange each at a time, none longer than it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, TypeVar

import requests

from deidfhir.web.quiet import keep_queries_out_of_logs

Result = TypeVar("Result")
_CONNECT_TIMEOUT = 5.0
_CHUNK = 64 * 1024
_MOST_TAKEN = 8 << 30
"""Bytes that an answer may have of which nothing is held."""


class TooLargeError(Exception):
    """An answer has more bytes than any answer may have."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came back.

    Args:
        status: HTTP status.
        headers: Of the answer.
        content: Its body, decompressed; empty where it was taken as it came.
        size: How many bytes that was.
        taken: What was made of it, where that was asked for and all went well.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    size: int = 0
    taken: tuple[Any, ...] | None = None


@dataclass(slots=True)
class Connections:
    """Sessions for as many threads as there are; each is used by one at a time.

    Args:
        make: Makes a session.
        number: Requests under way at most.
        most: Bytes that an answer may have.
    """

    make: Callable[[], requests.Session]
    number: int = 1
    most: int = 64 * 1024 * 1024
    _idle: list[requests.Session] = field(default_factory=list, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Keep what is asked for out of the library's own log."""
        keep_queries_out_of_logs()

    def exchange(  # noqa: PLR0913 - what HTTP is made of
        self,
        method: str,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
        *,
        take: Callable[[Iterable[bytes]], tuple[Any, ...]] | None = None,
    ) -> Received:
        """Send one request and return what comes back.

        Args:
            method: HTTP method.
            url: Address.
            data: Body, or None.
            headers: Of the request.
            seconds: How long it may take, from first to last byte.
            take: Makes something of the body as it comes, where all goes well.

        Raises:
            requests.exceptions.RequestException: What the library raises.
            urllib3.exceptions.HTTPError: What it lets through.
            TimeoutError: The time is over.
            TooLargeError: The answer is too large.
            ValueError: What `take` raises.
        """

        def exchanged() -> Received:
            session = self._taken()
            with session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=(min(_CONNECT_TIMEOUT, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                received = self._received(response, take)
            with self._lock:
                # Only now: one that failed, or was left behind, is not used again.
                self._idle.append(session)
            return received

        return within(seconds, exchanged)

    def _taken(self) -> requests.Session:
        with self._lock:
            return self._idle.pop() if self._idle else self.make()

    def _received(
        self,
        response: requests.Response,
        take: Callable[[Iterable[bytes]], tuple[Any, ...]] | None,
    ) -> Received:
        status, headers = response.status_code, response.headers
        if take is None or status != 200:
            content = b"".join(_Counted(response, self.most))
            return Received(status, headers, content, len(content))
        counted = _Counted(response, _MOST_TAKEN)
        taken = take(counted)
        for _ in counted:  # else the connection could not be used again
            pass
        return Received(status, headers, b"", counted.size, taken)


class _Counted:
    """The body of an answer, piece by piece, up to a limit."""

    def __init__(self, response: requests.Response, most: int) -> None:
        self._chunks: Iterator[bytes] = response.iter_content(_CHUNK)
        self._most, self.size = most, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            if self.size > self._most:
                raise TooLargeError
            yield chunk


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
