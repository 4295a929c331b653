"""Runs of the client: in this process with a clock of the test's, or in one that can be killed."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from deidfhir.cli.render import sync_object
from deidfhir.errors import DeidFhirError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.dead import handle_dead
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.report import worst
from deidfhir.web.timing import Clock, never
from tests.conftest import command, process_environment

_SCALE = 0.02


@dataclass(frozen=True)
class Ran:
    """What a run did.

    Attributes:
        code: Its exit code; negative for the signal that ended it.
        report: What --json prints.
        err: What it said.
    """

    code: int
    report: dict[str, Any]
    err: str

    @property
    def troubles(self) -> set[str]:
        """The codes of the troubles that its report names."""
        return {one["finding"]["code"] for one in self.report.get("troubles", ())}


@dataclass(frozen=True)
class Site:
    """Where the runs of an episode read and write.

    Attributes:
        folder: The archive.
        url: The base URL, usually the proxy's.
        journal: The journal's file.
        context: The mapping's; its namespace makes the site.
    """

    folder: Path
    url: str
    journal: Path
    context: MappingContext

    def target(self, timeout: float, clock: Clock | None = None) -> TargetOptions:
        """Return the target of a run."""
        return TargetOptions(self.url, self.journal, timeout=timeout, clock=clock)


@dataclass
class FastTime:
    """Time that passes fifty times as fast while somebody sleeps; `now` can be made to jump."""

    jump: float = 0.0
    _ahead: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def clock(self) -> Clock:
        """Return the clocks of a run."""
        return Clock(now=self._now, monotonic=self._monotonic, sleep=self._sleep)

    def _now(self) -> float:
        return time.time() + self._ahead + self.jump

    def _monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds * _SCALE)
        with self._lock:
            self._ahead += seconds * (1 - _SCALE)


def run_here(
    site: Site, timeout: float, clock: Clock | None = None, stop: Callable[[], str] = never
) -> Ran:
    """Run sync in this process; what is not one of our errors goes through."""
    options = RunOptions(Files((site.folder,)), site.context, stop=stop)
    try:
        done = run_sync(options, site.target(timeout, clock))
    except DeidFhirError as error:
        return Ran(error.exit_code, {}, str(error))
    told = sync_object(done, dry_run=False)
    return Ran(done.exit_code, json.loads(json.dumps(told)), told["error"] or "")


def joined(runs: list[Ran]) -> Ran:
    """Return what several runs did as if it were one; of one, just that."""
    if len(runs) == 1:
        return runs[0]
    told = [one for run in runs for one in run.report.get("troubles", ())]
    err = " ".join(one.err for one in runs if one.err)
    return Ran(worst(*(one.code for one in runs)), {"troubles": told}, err)


def retry_dead(site: Site) -> int:
    """Make due again what was set aside; return how many studies that are."""
    return len(handle_dead("retry", (), site.target(25), site.context, every=True))


class RunningClient:
    """A run in a process of its own.

    Args:
        site: Where it reads and writes.
        timeout: Seconds for one request.
        room: The size that no file of it may exceed, if there is one.
    """

    def __init__(self, site: Site, timeout: float, room: int | None = None) -> None:
        where = ("--to", site.url, "--journal", site.journal, "--timeout", timeout)
        self.process = subprocess.Popen(
            command("sync", site.folder, *where, "--json"),
            env=process_environment({"DEIDFHIR_NAMESPACE": site.context.settings.namespace}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=partial(_limit, room) if room is not None else None,  # noqa: PLW1509
        )

    def __enter__(self) -> Self:
        """Give the run."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()

    def ended(self) -> Ran:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=120)
        report = json.loads(out) if out.strip() else {}
        return Ran(self.process.returncode, report, err.decode())


def _limit(room: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
