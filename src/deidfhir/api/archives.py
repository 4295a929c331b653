"""The jobs over an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deidfhir.api.accepting import accepting
from deidfhir.archive.archive import Query
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.mapping.context import MappingContext
from deidfhir.model.finding import Finding
from deidfhir.model.study import Study
from deidfhir.pipeline.archives import of_archive
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import SyncRun, run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.verifying import VerifyRun, run_verify
from deidfhir.web.timing import DEFAULT_TIMEOUT


def studies_from_archive(  # noqa: PLR0913 - the options of the command, by name
    address: str,
    *,
    context: MappingContext | None = None,
    matching: Mapping[str, str] | None = None,
    limit: int = 0,
    timeout: float = DEFAULT_TIMEOUT,
    on_skip: Callable[[Finding], None] | None = None,
) -> Iterator[Study]:
    """Read an archive into studies, sorted by UID.

    Args:
        address: As `--from` takes it (docs/archives.md).
        context: Tells the settings `source_access` and `source_sample`.
        matching: DICOM keyword → what the studies must match.
        limit: How many studies at most; 0 for all.
        timeout: Seconds for one request with all its repetitions.
        on_skip: Told of what cannot be used, and of what is odd about the archive.

    Raises:
        UsageError: The address is none, or a setting is wrong.
        RetriableError: The archive is down or busy.
        FatalError: It is no archive, or does not let us in.
    """
    query = Query(dict(matching or {}), limit)
    options = _options(address, accepting(context, None), query, timeout)
    options.source.require()
    reading = options.source.read(lambda _: None, 1)
    for finding in (*reading.findings, *reading.skipped) if on_skip else ():
        on_skip(finding)  # type: ignore[misc]
    yield from reading.studies


def sync_archive(  # noqa: PLR0913 - the options of the command, by name
    address: str,
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    matching: Mapping[str, str] | None = None,
    limit: int = 0,
    journal: Path | None = None,
    dry_run: bool = False,
    confirm_vanished: int = 0,
    full: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
) -> SyncRun:
    """Make a target state what the objects of an archive state.

    Args:
        address: As `--from` takes it (docs/archives.md).
        to: FHIR base URL, or a folder for NDJSON.
        context: FHIR version, settings and policy; its setting `dicomweb_root` names another
            Endpoint than the archive's own root.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        matching: DICOM keyword → what the studies must match.
        limit: How many studies at most; 0 for all.
        journal: The target's journal; by default one in the user's state folder.
        dry_run: Whether only to read and to say what would be sent.
        confirm_vanished: How many studies may vanish, where the run would otherwise refuse it.
        full: Whether to read what the archive does not tell as changed, too.
        timeout: Seconds for one request with all its repetitions.

    Returns:
        What was read, refused and sent, with the command's exit code; an error that ended the
        run early is in its report.

    Raises:
        UsageError: The address or the target is not usable.
        FatalError: The journal is not usable, or another target's.
    """
    query = Query(dict(matching or {}), limit)
    options = _options(address, accepting(context, accept), query, timeout)
    where = TargetOptions(to, journal, timeout)
    return run_sync(options, where, dry_run=dry_run, confirmed=confirm_vanished, full=full)


def verify_archive(  # noqa: PLR0913 - the options of the command, by name
    address: str,
    to: str,
    *,
    context: MappingContext | None = None,
    accept: str | None = None,
    matching: Mapping[str, str] | None = None,
    limit: int = 0,
    journal: Path | None = None,
    repair: bool = False,
    timeout: float = DEFAULT_TIMEOUT,
) -> VerifyRun:
    """Compare a target with what the objects of an archive state.

    Args:
        address: As `--from` takes it (docs/archives.md).
        to: FHIR base URL, or a folder of NDJSON.
        context: FHIR version, settings and policy.
        accept: Verdicts that may pass, as for `--accept`; without it the policy's.
        matching: DICOM keyword → what the studies must match.
        limit: How many studies at most; 0 for all.
        journal: The target's journal; by default one in the user's state folder.
        repair: Whether what differs is sent again at once; without it nothing is written.
        timeout: Seconds for one request with all its repetitions.

    Raises:
        UsageError: The address or the target is not usable.
        FatalError: The journal is another target's, or to be written and not usable.
        RetriableError: With `repair`: a sync is under way.
    """
    query = Query(dict(matching or {}), limit)
    options = _options(address, accepting(context, accept), query, timeout)
    return run_verify(options, TargetOptions(to, journal, timeout), repair=repair)


def _options(address: str, context: MappingContext, query: Query, timeout: float) -> RunOptions:
    archive = open_archive(address, Opening(context.settings.source_access, timeout))
    source, settled = of_archive(archive, query, context)
    return RunOptions(source, settled)
