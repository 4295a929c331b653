"""A second FHIR server implementation for tests: Medplum's router and in-memory repository, R4.

By hand, until Ctrl-C or the end of its input; the port is printed when the server is ready::

    node tests/medplum/server.mjs 8080

Node (20 or newer) must be on the PATH, and `sh tools/setup.sh test` must have installed what
`package.json` names. The server listens on loopback only and ends together with the process that
started it.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_HERE = Path(__file__).resolve().parent


class MedplumError(Exception):
    """The server cannot be started; the message says why."""


@dataclass
class MedplumServer:
    """One server process, empty at its start."""

    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def base_url(self) -> str:
        """The FHIR base address."""
        return f"http://127.0.0.1:{self.port}/fhir/R4"

    def __enter__(self) -> Self:
        """Start the server and wait until it is ready."""
        if not (_HERE / "node_modules").is_dir():
            raise MedplumError("what it needs is not installed: type sh tools/setup.sh test")
        self.process = subprocess.Popen(
            ["node", "server.mjs", str(self.port)],
            cwd=_HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        if not told.strip().isdigit():
            self.__exit__(None, None, None)
            raise MedplumError(f"it told no port but {told!r}")
        self.port = int(told)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        process, self.process = self.process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()  # It exits at the end of its input.
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
