"""The recipe for nginx, run by a real nginx in front of a real server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "nginx" / "deidfhir.conf"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
_LONG = 20


@dataclass(frozen=True)
class Raw:
    """An answer, as it came.

    Args:
        status: HTTP status.
        head: Its headers.
        body: What follows them.
    """

    status: int
    head: str
    body: str


@dataclass(frozen=True)
class Proxy:
    """An nginx that runs the recipe.

    Args:
        port: Where it listens.
        folder: Where its logs are.
    """

    port: int
    folder: Path

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> Raw:
        """Send a request with just this path, byte for byte."""
        lines = [f"{method} {path} HTTP/1.1", "Host: any", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        request = "\r\n".join(lines) + "\r\n\r\n" + body
        with socket.create_connection(("127.0.0.1", self.port), timeout=_LONG) as one:
            one.sendall(request.encode("latin-1"))
            with closing(HTTPResponse(one, method=method)) as answer:
                answer.begin()
                return Raw(answer.status, str(answer.headers), answer.read().decode("utf-8"))

    def logged(self) -> str:
        """Return all that it has logged."""
        return "".join(one.read_text() for one in sorted(self.folder.glob("*.log")))


@contextmanager
def proxying(
    folder: Path, fhir: str, gateway: str, changes: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """Run the recipe; only its addresses are others, and where it logs.

    Args:
        folder: For what nginx writes.
        fhir: Base URL of the FHIR server.
        gateway: URL of the gateway.
        changes: What else is another text in it.
    """
    assert NGINX, "nginx is missing: sh tools/setup.sh test installs it"
    port = _free_port()
    text = RECIPE.read_text(encoding="utf-8")
    fixed = {
        "server 127.0.0.1:8180;": f"server {urlsplit(gateway).netloc};",
        "server 127.0.0.1:8080;": f"server {urlsplit(fhir).netloc};",
        "listen 127.0.0.1:8090;": f"listen 127.0.0.1:{port};",
        "/var/log/nginx/": f"{folder}/",
    }
    for before, after in {**fixed, **(changes or {})}.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "recipe.conf").write_text(text)
    spools = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{one}_temp_path {folder}/{one};" for one in spools)
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/main.error.log crit;"
        f"events {{}} http {{ {paths} include {folder}/recipe.conf; }}"
    )
    process = subprocess.Popen([NGINX, "-c", str(main), "-p", str(folder)])
    try:
        over = time.monotonic() + _LONG
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < over
            time.sleep(0.02)
        yield Proxy(port, folder)
    finally:
        process.terminate()
        process.wait(_LONG)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
