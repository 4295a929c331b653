"""The jobs over files and folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deidfhir.api.accepting import accepting
from deidfhir.containers.limits import limits_of
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import SyncRun, run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.verifying import VerifyRun, run_verify
from deidfhir.web.timing import DEFAULT_TIMEOUT


def sync_paths(  # noqa: PLR0913 - the options of the command, by name
    paths: Iterable[str | Path],
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    journal: Path | None = None,
    dry_run: bool = False,
    confirm_vanished: int = 0,
    full: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
    workers: int = 1,
) -> SyncRun:
    """Make a target state what the objects below some PATHs state.

    Args:
        paths: Files and folders.
        to: FHIR base URL, or a folder for NDJSON.
        context: FHIR version, settings and policy.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        journal: The target's journal; by default one in the user's state folder.
        dry_run: Whether only to read and to say what would be sent.
        confirm_vanished: How many studies may vanish, where the run would otherwise refuse it.
        full: Whether to open files that are as the last run left them, too.
        timeout: Seconds for one request with all its repetitions.
        workers: How many processes may read files; with more than one, the program's main module
            must be importable (`if __name__ == "__main__"`).

    Returns:
        What was read, refused and sent, with the command's exit code; an error that ended the
        run early is in its report.

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is not usable, or another target's.
    """
    options = _options(paths, context, accept, workers)
    where = TargetOptions(to, journal, timeout)
    return run_sync(options, where, dry_run=dry_run, confirmed=confirm_vanished, full=full)


def verify_paths(  # noqa: PLR0913 - the options of the command, by name
    paths: Iterable[str | Path],
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    journal: Path | None = None,
    repair: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
    workers: int = 1,
) -> VerifyRun:
    """Compare a target with what the objects below some PATHs state.

    Args:
        paths: Files and folders.
        to: FHIR base URL, or a folder of NDJSON.
        context: FHIR version, settings and policy.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        journal: The target's journal; by default one in the user's state folder.
        repair: Whether what differs is sent again at once; without it nothing is written.
        timeout: Seconds for one request with all its repetitions.
        workers: How many processes may read files; with more than one, the program's main module
            must be importable (`if __name__ == "__main__"`).

    Raises:
        UsageError: A PATH or the target is not usable.
        FatalError: The journal is another target's, or to be written and not usable.
        RetriableError: With `repair`: a sync is under way.
    """
    where = TargetOptions(to, journal, timeout)
    return run_verify(_options(paths, context, accept, workers), where, repair=repair)


def _options(
    paths: Iterable[str | Path],
    context: MappingContext | None,
    accept: str | None,
    workers: int,
) -> RunOptions:
    settled = accepting(context, accept)
    files = Files(tuple(Path(one) for one in paths), limits_of(settled.settings))
    return RunOptions(files, settled, workers=workers)
