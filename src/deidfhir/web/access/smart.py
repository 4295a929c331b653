"""SMART Backend Services: a client that proves itself by signing with its private key.

HL7 SMART App Launch 2.2, backend-services.html and client-confidential-asymmetric.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from deidfhir.web.access.keys import SigningKey, signing_key
from deidfhir.web.access.oauth import ClientCredentials, Endpoint, needed_library
from deidfhir.web.access.secret import Secret
from deidfhir.web.access.tokens import Token, TokenKeeper
from deidfhir.web.timing import Clock

PRIVATE_KEY_JWT = "private_key_jwt"
SCOPE = "system/Device.cruds system/ImagingStudy.cruds system/Provenance.cruds"
_LIFE = 240
"""Seconds that an assertion is good for: the specification allows five minutes."""


@dataclass(frozen=True, slots=True)
class SmartClient:
    """A backend service that is registered with its public key.

    Args:
        client_id: The client.
        key: The place of its private key.
        algorithm: RS384 or ES384.
        kid: The key's id in its registered key set.
        scope: Scopes, separated by spaces.
    """

    client_id: str
    key: Secret
    algorithm: str
    kid: str
    scope: str

    def credentials(self, endpoint: Callable[[], Endpoint], clock: Clock) -> ClientCredentials:
        """Return what asks for tokens with assertions of this client.

        Args:
            endpoint: Tells the token endpoint when one is needed.
            clock: The time.
        """

        def issue() -> Token:
            needed_library()
            key = self._key()
            where = endpoint()

            def prove(asking: Any) -> None:  # noqa: ANN401 - Authlib's client
                from authlib.oauth2.rfc7523 import PrivateKeyJWT  # noqa: PLC0415 - an extra

                now = int(clock.now())
                # Fresh each time: Authlib writes its own claims into what it is given.
                claims = {"jti": str(uuid4()), "iat": now, "exp": now + _LIFE}
                headers = {"typ": "JWT", **({"kid": key.kid} if key.kid else {})}
                asking.register_client_auth_method(
                    PrivateKeyJWT(where.url, claims, headers, self.algorithm)
                )

            client = {
                "client_id": self.client_id,
                "client_secret": key.key,
                "token_endpoint_auth_method": PRIVATE_KEY_JWT,
                "scope": self.scope,
            }
            return where.ask(client, prove)

        return ClientCredentials(TokenKeeper(issue, clock), self._key)

    def _key(self) -> SigningKey:
        return signing_key(self.key, self.algorithm, self.kid)
