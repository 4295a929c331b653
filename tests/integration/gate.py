"""A gate in front of a real server: lets in who has what it asks for, and hands out tokens."""

from __future__ import annotations

import itertools
import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from tests.integration.listener import Listener, Sent
from tests.integration.relay import Relay

WELL_KNOWN = "/.well-known/smart-configuration"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def answered(
    request: BaseHTTPRequestHandler,
    status: int,
    body: dict[str, Any],
    **headers: str,
) -> None:
    """Answer with JSON."""
    content = json.dumps(body).encode()
    request.send_response_only(status)
    for name, text in {"Date": request.date_time_string(), **headers}.items():
        request.send_header(name, text)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


class TokenEndpoint(Listener):
    """A token endpoint that verifies whoever asks, and remembers what it issued.

    Attributes:
        issued: Token → until when it is good.
        lifetime: Seconds that tokens are good for, as told; None: not told.
        faults: What was wrong with requests that were refused.
        trouble: Answers with this status instead, if set.
        pause: Seconds before each answer.
        date: The header Date, if it is to be another.
    """

    def __init__(
        self, client_id: str, *, key: Key | None = None, algorithm: str = "", secret: str = ""
    ) -> None:
        super().__init__()
        self.client_id, self.key, self.algorithm, self.secret = client_id, key, algorithm, secret
        self.issued: dict[str, float] = {}
        self.lifetime: float | None = 300.0
        self.faults: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, Any]] = []
        self.trouble = 0
        self.pause = 0.0
        self.date = ""
        self._seen: set[str] = set()

    @property
    def url(self) -> str:
        """Its URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}/token"

    def is_good(self, authorisation: str | None) -> bool:
        """Whether a header carries a token that is good now."""
        token = (authorisation or "").removeprefix("Bearer ")
        return self.issued.get(token, 0) > time.time()

    def revoke(self) -> None:
        """Take back all tokens."""
        self.issued.clear()

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Verify, and issue a token."""
        del sent
        time.sleep(self.pause)
        headers = {"Date": self.date} if self.date else {}
        if self.trouble:
            answered(request, self.trouble, {"told": "PLANTED"}, **headers)
            return
        form = {name: values[0] for name, values in parse_qs(content.decode()).items()}
        self.forms.append(form)
        fault = self._fault(form, request.headers.get("Authorization"))
        if fault:
            self.faults.append(fault)
            told = {"error": "invalid_client", "error_description": f"PLANTED {fault}"}
            answered(request, 401, told, **headers)
            return
        token = f"token-{uuid4()}"
        life = 300.0 if self.lifetime is None else self.lifetime
        self.issued[token] = time.time() + life
        told = {"access_token": token, "token_type": "Bearer", "scope": form.get("scope", "")}
        if self.lifetime is not None:
            told["expires_in"] = self.lifetime  # type: ignore[assignment] # a number
        answered(request, 200, told, **headers)

    def _fault(self, form: dict[str, str], authorisation: str | None) -> str:
        if form.get("grant_type") != "client_credentials":
            return "another grant"
        if self.key is None:
            return "" if self._knows_secret(form, authorisation) else "another secret"
        if form.get("client_assertion_type") != _ASSERTION:
            return "no assertion"
        try:
            token = jwt.decode(form["client_assertion"], self.key, algorithms=[self.algorithm])
        except (JoseError, KeyError, ValueError) as error:
            return f"not signed: {type(error).__name__}"
        self.headers.append(dict(token.header))
        return self._claims_fault(token.claims)

    def _claims_fault(self, claims: dict[str, Any]) -> str:
        """Return what SMART App Launch forbids of an assertion's claims."""
        now = time.time()
        if (claims["iss"], claims["sub"]) != (self.client_id, self.client_id):
            return "another client"
        if claims["aud"] != self.url:
            return "another audience"
        if not now < claims["exp"] <= now + 300:
            return "expired, or good for too long"
        if claims["jti"] in self._seen:
            return "seen before"
        self._seen.add(claims["jti"])
        return ""

    def _knows_secret(self, form: dict[str, str], authorisation: str | None) -> bool:
        if authorisation:
            pair = b64decode(authorisation.removeprefix("Basic ")).decode()
        else:
            pair = f"{form.get('client_id')}:{form.get('client_secret')}"
        return pair == f"{self.client_id}:{self.secret}"


class Gate(Relay):
    """Passes on the requests of those who may, and answers 401 to others.

    Attributes:
        lets_in: Judges the header Authorization.
        date: The header Date of refusals, if it is to be another.
        shown: The header Authorization of each request.
        token_url: What discovery tells; empty: there is no discovery.
        before: Called with the number of each request, from 1.
    """

    def __init__(self, target: str, lets_in: Callable[[str | None], bool]) -> None:
        super().__init__(target)
        self.lets_in = lets_in
        self.date = ""
        self.shown: list[str | None] = []
        self.seen: list[dict[str, str]] = []
        self.token_url = ""
        self.refused = 0
        self.before: Callable[[int], None] = lambda _: None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Let in, or refuse."""
        if sent.path.endswith(WELL_KNOWN):
            status = 200 if self.token_url else 404
            answered(request, status, {"token_endpoint": self.token_url} if self.token_url else {})
            return
        with self._lock:
            self.before(next(self._numbers))
        shown = request.headers.get("Authorization")
        self.shown.append(shown)
        self.seen.append(dict(request.headers.items()))
        if self.lets_in(shown):
            super().answer(request, sent, content)
            return
        self.refused += 1
        headers = {"Date": self.date} if self.date else {}
        answered(request, 401, {"told": "PLANTED"}, **headers)
