"""`deidfhir serve` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.conftest import command, process_environment

_LONG = 30


@dataclass
class Running:
    """A gateway that listens.

    Args:
        process: Its process.
        url: Where it is asked.
        said: What it has said on stderr, once it has ended.
    """

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended, and return its exit code."""
        out, err = self.process.communicate(timeout=_LONG)
        assert out == ""
        self.said += err.splitlines()
        return self.process.returncode


@contextmanager
def serving(*arguments: object, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Give a gateway on any free port; it ends with the block, if it has not before."""
    process = subprocess.Popen(
        command("serve", "--port", 0, *arguments),
        env=process_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "serving on " in line:
                break
        assert process.poll() is None, said
        yield Running(process, said[-1].split("serving on ")[1].split()[0], said)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
