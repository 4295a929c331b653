"""What it means that a server does not let us in, as far as its answer tells."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from deidfhir.errors import FatalError
from deidfhir.web.access.credentials import Credentials
from deidfhir.web.timing import Clock

CLOCK_LIMIT = 60.0
"""Seconds: most servers bear that much when they look at the times of a token."""

_STATIC = {"none": "credentials-demanded", "basic": "password-refused", "bearer": "bearer-refused"}


def clock_off(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Return by how many seconds our clock is ahead of a server's, if its answer has a date.

    Args:
        headers: Of the answer, which has just come.
        clock: Ours.
    """
    try:
        theirs = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return clock.now() - theirs


def clock_failure(headers: Mapping[str, str], url: str, clock: Clock) -> FatalError | None:
    """Return the error that the clocks call for, if they are too far apart for tokens.

    Args:
        headers: Of an answer that refuses.
        url: Who answered, without credentials.
        clock: Ours.
    """
    ahead = clock_off(headers, clock)
    if ahead is None or abs(ahead) <= CLOCK_LIMIT:
        return None
    return FatalError("clock-refused", url=url, off=off_in_words(ahead))


def off_in_words(ahead: float) -> str:
    """Return how far our clock is off, such as `75 s behind`, before the other's name."""
    return f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'}"


def refusal(
    status: int, headers: Mapping[str, str], url: str, credentials: Credentials, clock: Clock
) -> FatalError:
    """Return what a 401 or 403 means once no other credentials are to be had.

    Args:
        status: HTTP status.
        headers: Of the answer.
        url: The base URL, without credentials.
        credentials: Those that were refused.
        clock: Ours.
    """
    if status == 407:
        return FatalError("proxy-refused", proxy=f"the proxy before {url}")
    if status != 401:
        return FatalError("unauthorised", url=url, status=status)
    code = _STATIC.get(credentials.kind)
    if code is not None and credentials.kind != "bearer":
        return FatalError(code, url=url)
    return clock_failure(headers, url, clock) or FatalError(code or "token-refused", url=url)
