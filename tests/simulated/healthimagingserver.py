"""AWS HealthImaging, simulated on the wire: the client library asks a server on loopback."""

from __future__ import annotations

import json
from datetime import datetime
from http.server import BaseHTTPRequestHandler

import pytest

from tests.integration.listener import Listener, Sent
from tests.simulated.healthimaging import SimulatedStore


class HealthImagingServer(Listener):
    """Answers for a data store.

    Args:
        store: The data store.

    Attributes:
        signed: The header Authorization of each request.
    """

    def __init__(self, store: SimulatedStore) -> None:
        super().__init__()
        self.store = store
        self.signed: list[str] = []

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer one request in the protocol rest-json."""
        self.signed.append(request.headers.get("Authorization", ""))
        operation = sent.path.partition("?")[0].rpartition("/")[2]
        operation = operation[:1].upper() + operation[1:]
        if operation:
            status, found = self.store.answer(operation, sent.path, content)
        else:
            status, found = 404, {}
        request.send_response(status)
        if "Error" in found:
            request.send_header("x-amzn-ErrorType", found["Error"]["Code"])
            found = {"message": found["Error"]["Message"]}
        blob = found.get("imageSetMetadataBlob")
        text = blob.read() if blob else json.dumps(found, default=_seconds).encode()
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the library find the server and somebody's credentials."""
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{self.port}")
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def _seconds(instant: object) -> float:
    assert isinstance(instant, datetime)
    return instant.timestamp()
