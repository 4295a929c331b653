"""Who issues tokens in Azure and Google Cloud, simulated: the vendors' own libraries ask it."""

from __future__ import annotations

import json
import time
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.listener import Listener, Sent


class TokenService(Listener):
    """Issues `token-1`, `token-2` and so on.

    Attributes:
        issued: How many tokens were issued.
        lifetime: Seconds that one is good for.
        refusing: HTTP status of every answer, instead of a token.
    """

    def __init__(self) -> None:
        super().__init__()
        self.renew()

    def renew(self) -> None:
        """Have issued nothing."""
        self.issued, self.lifetime, self.refusing = 0, 3600, 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/token"

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Issue a token, or refuse."""
        del sent, content
        body = {"error": "invalid_grant", "error_description": "CANARY^OF^AN^ANSWER"}
        if not self.refusing:
            self.issued += 1
            body = {
                "access_token": f"token-{self.issued}",
                "expires_in": str(self.lifetime),
                "expires_on": str(int(time.time()) + self.lifetime),
                "resource": "here",
                "token_type": "Bearer",
            }
        text = json.dumps(body).encode()
        request.send_response(self.refusing or 200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)


def as_managed_identity(service: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let azure-identity believe that it runs where Azure gives hosts an identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", service.url)
    monkeypatch.setenv("IDENTITY_HEADER", "header")


def as_service_account(
    service: TokenService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let google-auth find the key of a service account."""
    content = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": _key(),
        "client_email": "deidfhir@example.org",
        "token_uri": service.url,
    }
    path = folder / "account.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


@cache
def _key() -> str:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
