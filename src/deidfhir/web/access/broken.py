"""Why a connection was not made: the errors of the libraries, as errors that say what to do."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from deidfhir.errors import FatalError, RetriableError
from deidfhir.tables import table
from deidfhir.web.access.connection import Connection

_PROBE_SECONDS = 2.0
_CLIENT = "tls-client"
_BREAKS = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
"""What a connection ends with that was made, and torn down by the other side."""

_REFUSED = re.compile(r"Tunnel connection failed: 4\d\d")


def tls_failure(error: BaseException, url: str) -> FatalError:
    """Return what a failed TLS connection means.

    Args:
        error: What a library raised.
        url: The address, without credentials.
    """
    for one in _causes(error):
        if isinstance(one, ssl.SSLError):
            code = _code_of(one)
            if code:
                return FatalError(code, url=url)
    return FatalError("tls-failed", url=url)


def proxy_failure(error: BaseException, proxy: str) -> FatalError | RetriableError:
    """Return what a failed connection to or through a proxy means.

    Args:
        error: What a library raised.
        proxy: URL of the proxy, without credentials.
    """
    # Of 4xx it is the proxy that says no; of 5xx it is what it did not reach.
    if any(_REFUSED.search(str(one)) for one in _causes(error) if isinstance(one, OSError)):
        return FatalError("proxy-refused", proxy=proxy)
    return RetriableError("proxy-down", proxy=proxy)


def refuses_certificate(url: str, connection: Connection) -> bool:
    """Whether the server breaks TLS off because of the client's certificate, or for want of one.

    In TLS 1.3 the refusal comes after the handshake, and what was sent by then can tear the
    connection down before it is read. So it is asked for without sending anything.

    Args:
        url: An https address that is reached without a proxy.
        connection: The site's TLS.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or connection.proxy_for(url):
        return False
    address = (parts.hostname or "", parts.port or 443)
    try:
        with (
            socket.create_connection(address, _PROBE_SECONDS) as plain,
            connection.context().wrap_socket(plain, server_hostname=address[0]) as secured,
        ):
            secured.recv(1)
    except ssl.SSLError as error:
        return _code_of(error) == _CLIENT
    except (OSError, ValueError):
        return False
    return False


def _code_of(error: ssl.SSLError) -> str:
    number, reason = getattr(error, "verify_code", None), getattr(error, "reason", None)
    for row in table("tls-failures.toml")["failure"]:
        if number in row.get("verify", ()) or (not number and reason in row.get("reasons", ())):
            code: str = row["error"]
            return code
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that libraries have wrapped into it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]


def broken(
    error: Exception, url: str, connection: Connection
) -> FatalError | RetriableError | None:
    """Return what a failed request means, where waiting alone does not mend it or a proxy failed.

    Args:
        error: What requests raised, or let through.
        url: The address, without credentials.
        connection: The site's TLS and proxy.
    """
    if isinstance(error, OSError) and not isinstance(error, requests.exceptions.RequestException):
        return _missing(url, connection)
    if isinstance(error, requests.exceptions.ProxyError):
        return proxy_failure(error, shown_proxy(url, connection))
    told = tls_failure(error, url) if isinstance(error, requests.exceptions.SSLError) else None
    if told is not None and told.code != "tls-failed":
        return told
    broke = any(isinstance(one, _BREAKS) for one in _causes(error))
    if broke and refuses_certificate(url, connection):
        return FatalError(_CLIENT, url=url)
    return told


def _missing(url: str, connection: Connection) -> FatalError | None:
    """Return which file was not to be found: requests says it by a bare OSError."""
    try:
        connection.prepare(url)
    except FatalError as fault:
        return fault
    return None


def shown_proxy(url: str, connection: Connection) -> str:
    """Return the proxy for an address, without credentials."""
    parts = urlsplit(connection.proxy_for(url) or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
