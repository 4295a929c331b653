"""Where a FHIR server says that tokens are had: `.well-known/smart-configuration` of its base."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from deidfhir.errors import FatalError, RetriableError
from deidfhir.web.access.bounded import read
from deidfhir.web.access.broken import broken
from deidfhir.web.access.connection import Connection
from deidfhir.web.address import is_safe

_WELL_KNOWN = "/.well-known/smart-configuration"


def discovered(
    base_url: str, connection: Connection, timeout: float, headers: Mapping[str, str]
) -> str:
    """Return the token endpoint that a server names (SMART App Launch 2.2, conformance.html).

    Args:
        base_url: FHIR base URL.
        connection: The site's TLS and proxy.
        timeout: Seconds for the request.
        headers: The site's own, beside Accept.

    Raises:
        FatalError: `discovery-missing` or `discovery-unsafe`.
        RetriableError: `token-down`.
    """
    url = base_url.rstrip("/") + _WELL_KNOWN
    status, found = _asked(url, connection, timeout, headers)
    if status >= 500 or status in (408, 425, 429):
        raise RetriableError("token-down", url=url, what=f"HTTP {status}")
    token_url = found.get("token_endpoint") if isinstance(found, dict) else None
    if status != 200 or not isinstance(token_url, str):
        raise FatalError("discovery-missing", url=url, status=status)
    if not is_safe(token_url):
        raise FatalError("discovery-unsafe", url=url)
    return token_url


def _asked(
    url: str, connection: Connection, timeout: float, headers: Mapping[str, str]
) -> tuple[int, object]:
    with connection.session() as session:
        try:
            answer = session.get(
                url,
                headers={**headers, "Accept": "application/json"},
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
            return answer.status_code, _parsed(answer)
        except OSError as error:  # RequestException is one
            fault = broken(error, url, connection)
            fault = fault or RetriableError("token-down", url=url, what=type(error).__name__)
    raise fault


def _parsed(answer: requests.Response) -> object:
    try:
        return read(answer).json()
    except ValueError:  # no JSON, or too large
        return None
