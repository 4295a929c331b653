"""TARGET on the command line → a target and its journal."""

from __future__ import annotations

import os
import re
import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from deidfhir.config import AUTO
from deidfhir.errors import DeidFhirError, FatalError, UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.sync.folder import NdjsonFolder
from deidfhir.sync.journal import Journal
from deidfhir.sync.lease import lease
from deidfhir.sync.places import default_path, require_writable
from deidfhir.sync.profile import Wishes
from deidfhir.sync.report import SyncReport
from deidfhir.sync.server import FhirServer
from deidfhir.sync.target import Target
from deidfhir.tables import table
from deidfhir.web.access.loading import Toward, load_access
from deidfhir.web.address import is_usable_url
from deidfhir.web.connections import Connections
from deidfhir.web.events import Events
from deidfhir.web.timing import CONNECTIONS, DEFAULT_TIMEOUT, Clock
from deidfhir.web.transport import Transport

# host:8080/base or user:password@host: a URL whose scheme was forgotten. Such a folder can be named
# ./host:8080/base.
_LIKE_A_HOST = re.compile(r"[\w.-]+:\d*(/|$)|https?:|[^/]*@")


def open_target(  # noqa: PLR0913 - what a target is opened with, by name
    to: str,
    context: MappingContext,
    timeout: float = DEFAULT_TIMEOUT,
    clock: Clock | None = None,
    *,
    connections: int = 1,
    events: Events | None = None,
) -> Target:
    """Return the target; nothing is asked of it yet.

    Args:
        to: A FHIR base URL or a folder.
        context: Tells the FHIR version.
        timeout: Seconds for one request with all its repetitions.
        clock: The time; the system's by default.
        connections: Requests under way at most.
        events: Told of each request.

    Raises:
        UsageError: `target-form`, `target-credentials` or `target-is-file`, or the access file is
            wrong.
    """
    if not to or "://" in to or _LIKE_A_HOST.match(to):
        if not to.lower().startswith(("http://", "https://")) or not is_usable_url(to):
            raise UsageError("target-form")
        if "@" in urlsplit(to).netloc:
            raise UsageError("target-credentials")
        toward = Toward(to, timeout, clock or Clock())
        access = load_access(context.settings.access, toward)
        several = Connections(access.session, connections)
        given = (to, timeout, toward.clock, access, several)
        transport = Transport(*given, events=events or Events())
        settings = context.settings
        return FhirServer(
            transport,
            context.version.number,
            context.version.name,
            tag_system=f"{settings.canonical}/{table('urls.toml')['tag']['resource']}",
            wishes=Wishes(
                profile=_chosen(settings.server_profile), mode=_chosen(settings.write_mode)
            ),
        )
    path = Path(to)
    try:
        if path.exists() and not path.is_dir():
            raise UsageError("target-is-file", path=path)
    except OSError as error:
        raise FatalError("folder-unwritable", path=path) from error
    return NdjsonFolder(path)


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Where a run sends or reads.

    Args:
        to: A FHIR base URL or a folder.
        journal: The journal's file; None for the default.
        timeout: Seconds for one request with all its repetitions.
        deadline: Seconds for a whole sync; None for as long as it takes.
        connections: Requests under way at most.
        clock: The time.
        events: Told of what happens.
        holder: What others are told of who holds the lease.
    """

    to: str
    journal: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    deadline: float | None = None
    connections: int = CONNECTIONS
    clock: Clock | None = None
    events: Events = field(default_factory=Events)
    holder: str = "process"

    def open(self, context: MappingContext) -> Target:
        """Return the target.

        Raises:
            UsageError: `target-form` or `target-is-file`.
        """
        given = (self.to, context, self.timeout, self.clock)
        return open_target(*given, connections=self.connections, events=self.events)


def prepare(target: Target) -> None:
    """Look whether what a target will ask of the site is there, before a long run begins.

    Args:
        target: The target; nothing is asked of it.

    Raises:
        FatalError: A secret, a key or a certificate cannot be used.
    """
    if isinstance(target, FhirServer):
        target.transport.access.prepare(target.transport.base_url)


def open_server(to: str, context: MappingContext, timeout: float, refusal: str) -> FhirServer:
    """Return the target of a command that takes a FHIR server alone.

    Args:
        to: A FHIR base URL.
        context: Tells the FHIR version.
        timeout: Seconds for one request with all its repetitions.
        refusal: Code of the error that says what the command takes.

    Raises:
        UsageError: `refusal`: it is no FHIR base URL; or the access file is wrong.
    """
    try:
        target = open_target(to, context, timeout)
    except UsageError as error:
        if error.code not in ("target-form", "target-is-file"):
            raise
        raise UsageError(refusal) from error
    if not isinstance(target, FhirServer):
        raise UsageError(refusal)
    return target


def open_journal(
    path: Path | None,
    target: Target,
    context: MappingContext,
    *,
    read_only: bool = False,
    rehearsed: bool = False,
) -> Journal:
    """Return the journal of a target; by default the one in the user's state folder.

    Args:
        path: The file; None for the default.
        target: The target.
        context: Tells FHIR version and namespace, to which ids and so the journal belong.
        read_only: Whether nothing may be written.
        rehearsed: Whether to fail where opening it for writing would fail.

    Raises:
        FatalError: `journal-other-target`, `journal-unusable` or `journal-newer`.
    """
    identity = journal_identity(target, context)
    path = path or journal_path(target)
    if rehearsed:
        require_writable(path)
    journal = Journal(path, read_only=read_only)
    if not journal.belongs_to(**identity):
        journal.close()
        raise FatalError("journal-other-target", path=path)
    if not read_only:
        journal.claim(**identity)
    if isinstance(target, FhirServer):
        target.keep_ids_in(journal.assigned)
    return journal


def keep_names(target: Target, report: SyncReport) -> None:
    """Note in the journal which ids a server gave in a run, unless the journal may have failed.

    Args:
        target: The target; its journal is still open.
        report: The run's.
    """
    if isinstance(target, FhirServer) and report.error is None:
        try:
            target.keep_names()
        except DeidFhirError as error:
            report.error = error


def lease_of(
    where: TargetOptions, target: Target, context: MappingContext, now: float
) -> AbstractContextManager[None]:
    """Return the lease that a sync holds: of one site on one target, whatever its journal.

    Args:
        where: The journal's file, and who holds it.
        target: The target.
        context: Tells FHIR version and namespace.
        now: Seconds since the epoch, for whoever finds it held.
    """
    identity = journal_identity(target, context)
    default = _default(target, "\n".join(identity.values())).with_suffix(".lease")
    beside = (where.journal.with_name(default.name),) if where.journal is not None else ()
    since = datetime.fromtimestamp(int(now), UTC).isoformat()
    holder = f"{where.holder} {os.getpid()} on {socket.gethostname()} since {since}"
    return lease((default, *beside), holder)


def journal_path(target: Target) -> Path:
    """Return where the journal of a target is by default.

    Args:
        target: The target.
    """
    return _default(target, _name(target))


def _chosen(setting: str) -> str:
    return "" if setting == AUTO else setting


def journal_identity(target: Target, context: MappingContext) -> dict[str, str]:
    """Return to what a journal belongs.

    Args:
        target: The target.
        context: Tells FHIR version and namespace.
    """
    return {"target": _name(target), "fhir": context.version.name, "site": _site(context)}


def _default(target: Target, name: str) -> Path:
    kind = "server" if isinstance(target, FhirServer) else "folder"
    digest = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return default_path(kind, dict(os.environ), digest)


def _site(context: MappingContext) -> str:
    """Return what all ids are made in: with another key, they are others."""
    settings = context.settings
    key = f"key {context.key.fingerprint}" if settings.ids == "keyed" else ""
    return " ".join(part for part in (settings.namespace, settings.tenant, key) if part)


def _name(target: Target) -> str:
    if isinstance(target, FhirServer):
        return target.shown
    path = os.path.abspath(target.shown)  # noqa: PTH100 - a link is a name of its own
    return os.fsencode(path).decode("utf-8", "backslashreplace")
