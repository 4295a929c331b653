"""OAuth 2.0 client credentials (RFC 6749 4.4): a client proves itself and is issued a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import requests

from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from deidfhir.tables import table
from deidfhir.web.access.bounded import TooLargeError, read
from deidfhir.web.access.broken import broken
from deidfhir.web.access.connection import Connection
from deidfhir.web.access.credentials import sendable
from deidfhir.web.access.refusal import clock_failure
from deidfhir.web.access.secret import Secret
from deidfhir.web.access.tokens import Token, TokenKeeper
from deidfhir.web.timing import Clock

METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(slots=True)
class ClientCredentials:
    """A client whose tokens come from a token endpoint.

    Args:
        keeper: Holds the token.
        look: Looks at the secret or key.
    """

    keeper: TokenKeeper
    look: Callable[[], object]
    kind: ClassVar[str] = "oauth2"
    asks: ClassVar[bool] = True

    def prepare(self) -> None:
        """Look whether the library, and the secret or key, are there and of the right kind."""
        needed_library()
        self.look()

    def authorisation(self) -> str | None:
        """Return `Bearer …`."""
        return self.keeper.authorisation()

    def renew(self, refused: str | None) -> bool:
        """Ask for a new token, once for all threads that were refused."""
        return self.keeper.renew(refused)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A token endpoint, and how it is reached.

    Args:
        url: Its URL.
        connection: The site's TLS and proxy.
        clock: The time.
        timeout: Seconds for one request.
    """

    url: str
    connection: Connection
    clock: Clock
    timeout: float

    def ask(self, client: dict[str, Any], prove: Callable[[Any], None] = lambda _: None) -> Token:
        """Ask for a token.

        Args:
            client: What Authlib's client is made of: id, secret, method, scope.
            prove: Adds to it how the client proves itself.

        Raises:
            FatalError: The endpoint refuses the client, or is none.
            RetriableError: The endpoint is down or busy.
        """
        library = needed_library()
        answers: list[requests.Response] = []
        fault: DeidFhirError | None = None
        token: dict[str, Any] = {}

        def noted(answer: requests.Response) -> requests.Response:
            try:
                whole = read(answer)
            except TooLargeError:
                answers.append(answer)
                raise
            answers.append(whole)
            return whole

        with self.connection.session() as session:
            asking = library.OAuth2Session(**client)
            asking.session = session
            prove(asking)
            asking.register_compliance_hook("access_token_response", noted)
            try:
                token = asking.fetch_token(
                    self.url,
                    grant_type="client_credentials",
                    timeout=self.timeout,
                    allow_redirects=False,
                    stream=True,
                )
            except OSError as error:  # RequestException is one
                fault = self._failed(error, answers)
            except library.OAuthError as error:
                fault = self._refused(str(error.error or ""), answers)
            except ValueError:
                fault = self._no_endpoint(answers)
        # Raised after it was let go: what the server wrote stands in the error of the library.
        if fault is not None:
            raise fault
        return self._issued(token, answers)

    def _failed(self, error: OSError, answers: list[requests.Response]) -> DeidFhirError:
        if answers:
            return self._no_endpoint(answers)
        told = broken(error, self.url, self.connection)
        return told or RetriableError("token-down", url=self.url, what=type(error).__name__)

    def _no_endpoint(self, answers: list[requests.Response]) -> DeidFhirError:
        status = answers[-1].status_code
        if status >= 500 or status in (408, 425, 429):
            return RetriableError("token-down", url=self.url, what=f"HTTP {status}")
        return FatalError("token-answer", url=self.url, status=status)

    def _refused(self, code: str, answers: list[requests.Response]) -> DeidFhirError:
        answer = answers[-1]
        if code in ("temporarily_unavailable", "server_error") or answer.status_code >= 500:
            return RetriableError("token-down", url=self.url, what=f"HTTP {answer.status_code}")
        late = clock_failure(answer.headers, self.url, self.clock)
        if late is not None:
            return late
        known = table("server-codes.toml")["oauth_error"]
        return FatalError(
            "client-refused", url=self.url, error=code if code in known else "another error"
        )

    def _issued(self, token: dict[str, Any], answers: list[requests.Response]) -> Token:
        value, lifetime = token.get("access_token"), token.get("expires_in")
        kind = str(token.get("token_type", "bearer")).lower()
        sendable = isinstance(value, str) and value.isascii() and value.isprintable()
        if not value or not sendable or kind != "bearer":
            raise self._no_endpoint(answers)
        try:
            return Token(str(value), None if lifetime is None else max(0.0, float(lifetime)))
        except (TypeError, ValueError):
            return Token(str(value), None)


def needed_library() -> Any:  # noqa: ANN401 - a module
    """Return Authlib's client, which is an extra.

    Raises:
        FatalError: `extra-missing`.
    """
    try:
        from authlib.integrations import requests_client  # noqa: PLC0415 - an extra
    except ImportError:
        raise FatalError("extra-missing", what="OAuth 2.0 and SMART", extra="auth") from None
    return requests_client


def with_secret(
    endpoint: Endpoint, client_id: str, secret: Secret, method: str, scope: str
) -> ClientCredentials:
    """Return a client that proves itself by a shared secret.

    Args:
        endpoint: The token endpoint.
        client_id: The client.
        secret: Its secret.
        method: One of `METHODS`.
        scope: Scopes, separated by spaces; empty for those that the server gives by itself.
    """

    def issue() -> Token:
        return endpoint.ask(
            {
                "client_id": client_id,
                "client_secret": sendable(secret),
                "token_endpoint_auth_method": method,
                "scope": scope or None,
            }
        )

    return ClientCredentials(TokenKeeper(issue, endpoint.clock), lambda: sendable(secret))
