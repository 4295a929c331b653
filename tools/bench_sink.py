"""A FHIR server that keeps nothing: it takes every transaction, and has nothing to be found.

It stands for the far end of an end-to-end measurement, in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MIME = "application/fhir+json"
_STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "sink"},
    "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
}
_NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(_STATEMENT if self.path.endswith("metadata") else _NOTHING)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, 31)
        if self.path.endswith("_search"):
            self._answer(_NOTHING)
            return
        # As many entries as there were requests: to parse them would be the sink's work, not ours.
        count = body.count(b'"request":')
        entry = {"response": {"status": "201 Created", "etag": 'W/"1"'}}
        self._answer(
            {"resourceType": "Bundle", "type": "transaction-response", "entry": [entry] * count}
        )

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", _MIME)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
        """Say nothing."""


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """Run one, and give its base URL."""
    command = [sys.executable, "-m", "tools.bench_sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            if process.stdout is None:
                raise RuntimeError
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/fhir"
        finally:
            process.terminate()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
