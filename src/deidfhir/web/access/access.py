"""All that a site's access file decides, in the form in which requests use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from deidfhir.errors import FatalError
from deidfhir.web.access.connection import Connection
from deidfhir.web.access.credentials import Anonymous, Credentials, sendable
from deidfhir.web.access.refusal import refusal
from deidfhir.web.access.secret import Secret
from deidfhir.web.timing import Clock

AUTHORISATION = "Authorization"


def revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    """Return headers as they are sent.

    Raises:
        FatalError: `secret-unreadable`.
    """
    return {
        name: sendable(one) if isinstance(one, Secret) else one for name, one in headers.items()
    }


@dataclass(frozen=True, slots=True)
class Access:
    """How requests to one server are made.

    Args:
        credentials: What lets them in.
        connection: TLS and proxy.
        extra: Further headers: name → text, or the place of a secret one.
    """

    credentials: Credentials = field(default_factory=Anonymous)
    connection: Connection = field(default_factory=Connection)
    extra: Mapping[str, str | Secret] = field(default_factory=dict)

    @property
    def is_secret(self) -> bool:
        """Whether requests carry what nobody on the way may read."""
        secrets = any(isinstance(one, Secret) for one in self.extra.values())
        return secrets or self.credentials.kind != Anonymous.kind

    def prepare(self, url: str) -> None:
        """Look at the site's secrets and files, and ask nobody.

        Args:
            url: The base URL.

        Raises:
            FatalError: One of them cannot be used.
        """
        self.connection.prepare(url)
        revealed(self.extra)
        self.credentials.prepare()

    def session(self) -> requests.Session:
        """Return a session for one thread.

        Raises:
            FatalError: A file of the site cannot be used.
        """
        return self.connection.session()

    def headers(self) -> dict[str, str]:
        """Return the headers that one request carries, the authorisation among them.

        Raises:
            FatalError: There are no credentials until someone acts.
            RetriableError: There are none for now.
        """
        value = self.credentials.authorisation()
        found = revealed(self.extra)
        return found if value is None else {**found, AUTHORISATION: value}

    def renew(self, sent: Mapping[str, str]) -> bool:
        """Return whether a request that was refused may go through with other credentials.

        Args:
            sent: The headers of the request.

        Raises:
            FatalError: There are no credentials until someone acts.
            RetriableError: There are none for now.
        """
        return self.credentials.renew(sent.get(AUTHORISATION))

    def refusal(
        self, status: int, headers: Mapping[str, str], url: str, clock: Clock
    ) -> FatalError:
        """Return what a 401 or 403 means once there are no other credentials.

        Args:
            status: HTTP status.
            headers: Of the answer.
            url: The base URL, without credentials.
            clock: Ours.
        """
        return refusal(status, headers, url, self.credentials, clock)
