"""Whether a host is reached at all, layer by layer, as `doctor` asks it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.web.access.broken import broken
from deidfhir.web.access.connection import Connection

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to one base URL.

    Args:
        url: The base URL, without credentials.
        connection: The site's TLS and proxy.
        timeout: Seconds for each step.
        path: What follows the base URL where something is sure to answer.
    """

    url: str
    connection: Connection
    timeout: float
    path: str = "/metadata"

    def _address(self) -> tuple[str, int]:
        """Return host and port of whom we connect to: of the proxy, where there is one."""
        parts = urlsplit(self.connection.proxy_for(self.url) or self.url)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)

    def resolve(self) -> None:
        """Look the host's name up.

        Raises:
            FatalError: `dns-unknown`.
            RetriableError: `dns-down`.
        """
        host, port = self._address()
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            passing = error.errno == socket.EAI_AGAIN
        except (OSError, UnicodeError):
            passing = False
        else:
            return
        if passing:
            raise RetriableError("dns-down", host=host)
        raise FatalError("dns-unknown", host=host)

    def connect(self) -> None:
        """Open a connection and close it.

        Raises:
            RetriableError: `tcp-failed`.
        """
        host, port = self._address()
        try:
            with socket.create_connection((host, port), self.timeout):
                return
        except TimeoutError:
            what = "no answer"
        except ConnectionRefusedError:
            what = "nothing listens"
        except OSError:
            what = "no way there"
        raise RetriableError("tcp-failed", host=host, port=port, what=what)

    def first_answer(self) -> Mapping[str, str]:
        """Ask without credentials; return the headers of the answer, whatever it says.

        Raises:
            FatalError: TLS or the proxy does not let through.
            RetriableError: The server or the proxy is down or silent.
        """
        fault: DeidFhirError
        with self.connection.session() as session:
            try:
                with session.get(
                    f"{self.url}{self.path}",
                    timeout=self.timeout,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return answer.headers
            except requests.exceptions.ReadTimeout:
                fault = RetriableError("target-silent", url=self.url, seconds=self.timeout)
            except OSError as error:  # RequestException is one
                told = broken(error, self.url, self.connection)
                down = RetriableError("target-down", url=self.url, what=type(error).__name__)
                fault = told or down
        raise fault
