"""A server that answers as a small FHIR server does, or fails as a real one cannot be made to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.integration.listener import Listener, Sent

MIME = "application/fhir+json"


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        status: HTTP status.
        body: JSON, or any bytes.
        headers: Beside Content-Type and Content-Length.
        cut: How many bytes of the declared length are never sent.
        drip: Seconds before each byte of the body.
        silent: Send nothing at all, and do not hang up.
    """

    status: int = 200
    body: dict[str, Any] | bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    drip: float = 0
    silent: bool = False

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Rule = Callable[[Sent], Reply]


class FakeServer(Listener):
    """Answers by three rules, which a test replaces.

    Attributes:
        metadata: Answers GET /metadata.
        search: Answers any other GET.
        transaction: Answers POST.
    """

    def __init__(self) -> None:
        super().__init__()
        self.metadata: Rule = lambda _: Reply(body=capability("4.0.1"))
        self.search: Rule = lambda _: Reply(body={"resourceType": "Bundle", "type": "searchset"})
        self.transaction: Rule = accepted

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/fhir"

    def always(self, reply: Reply) -> None:
        """Answer everything alike."""
        self.metadata = self.search = self.transaction = lambda _: reply

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer by the rule for the request."""
        del content
        reads = self.metadata if sent.path.partition("?")[0].endswith("/metadata") else self.search
        reply = (reads if sent.method == "GET" else self.transaction)(sent)
        if reply.silent:
            self.closing.wait()
            return
        body = reply.content
        request.send_response(reply.status)
        for name, text in {"Content-Type": MIME, **reply.headers}.items():
            request.send_header(name, text)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.close_connection = bool(reply.cut)
        for start in range(0, len(body) - reply.cut, 1 if reply.drip else 1 << 16):
            if self.closing.wait(reply.drip) if reply.drip else False:
                return
            end = start + 1 if reply.drip else min(start + (1 << 16), len(body) - reply.cut)
            request.wfile.write(body[start:end])
            request.wfile.flush()


def capability(version: str) -> dict[str, Any]:
    """Return the least that a FHIR server says of itself."""
    return {"resourceType": "CapabilityStatement", "fhirVersion": version}


def accepted(sent: Sent) -> Reply:
    """Accept every entry of a transaction as new."""
    entries = [{"response": {"status": "201 Created"}} for _ in sent.body["entry"]]
    return Reply(body={"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def outcome(diagnostics: str = "", code: str = "processing") -> dict[str, Any]:
    """Return an OperationOutcome."""
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def http_date(seconds_ahead: float) -> str:
    """Return an HTTP date some seconds from now (RFC 9110 5.6.7)."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds_ahead))
