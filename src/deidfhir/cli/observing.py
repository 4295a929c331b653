"""--metrics and --log: what is told of a run beside its report, also of one that fails."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deidfhir.cli.progress import printable
from deidfhir.errors import DeidFhirError, FatalError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.eventlog import EventLog
from deidfhir.pipeline.measures import Ended, measures
from deidfhir.pipeline.runs import SyncRun
from deidfhir.pipeline.targets import open_target
from deidfhir.pipeline.textfile import write_textfile
from deidfhir.pipeline.verifying import VerifyRun
from deidfhir.sync.report import OUTCOMES, worst
from deidfhir.version import __version__
from deidfhir.web.events import Events

Run = SyncRun | VerifyRun


@dataclass(slots=True)
class Observer:
    """Sees a run from its beginning to its end.

    Args:
        options: Of the command line.
    """

    options: argparse.Namespace
    run: Run | None = None
    """What the run did, once it is known."""

    events: Events = field(default_factory=Events, init=False)
    _named: Mapping[str, str] = field(init=False)
    _log: EventLog | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Find out what the run is known by; a target that is none may hold a secret."""
        try:
            target = open_target(self.options.to, MappingContext(self.options.fhir)).shown
        except DeidFhirError:
            target = ""
        names = {"command": self.options.command, "target": target, "fhir": self.options.fhir}
        self._named = names

    def __call__(self, command: Callable[[Observer], int]) -> int:
        """Run a command, tell of it, and return its exit code, or 1 if it could not be told.

        Args:
            command: Sets `run` as soon as that is known.

        Raises:
            FatalError: `file-unwritable`: the log; nothing was begun.
        """
        begun = time.monotonic()
        code, error = FatalError.exit_code, ""
        try:
            if self.options.log is not None:
                self._log = EventLog(self.options.log, time.time)
                self.events = Events(self._log)
            self.events("run-started", **self._named, version=__version__, dry_run=self._is_dry)
            code = command(self)
        except BaseException as raised:
            if isinstance(raised, DeidFhirError):
                code, error = raised.exit_code, raised.code
            raise
        finally:
            seconds = time.monotonic() - begun
            code = worst(code, *self._told(code, error, seconds))
        return code

    def _told(self, code: int, error: str, seconds: float) -> list[int]:
        """Tell of the end of a run; return the exit codes that this itself calls for."""
        failures = []
        ended_by = None if self.run is None else self.run.error
        if ended_by is not None:
            error = ended_by.code
        counts = self._counts()
        told = {"error": error} if error else {}
        rounded = round(seconds, 3)
        self.events("run-ended", exit_code=code, seconds=rounded, **told, **counts)
        if self._log is not None:
            self._log.close()
            failures += [self._log.error] if self._log.error else []
        if self.options.metrics is not None and not self._is_dry:
            ended = Ended(code, time.time(), seconds, self.run)
            try:
                write_textfile(self.options.metrics, measures(ended), self._named)
            except FatalError as failure:
                failures.append(failure)
        for one in failures:
            print(printable(f"deidfhir: {one}"), file=sys.stderr)  # noqa: T201 - the talk
        return [one.exit_code for one in failures]

    def _counts(self) -> dict[str, int]:
        sent = None if self.run is None else self.run.sent
        return {} if sent is None else {one: sent.resources[one] for one in OUTCOMES}

    @property
    def _is_dry(self) -> bool:
        return bool(getattr(self.options, "dry_run", False))
