"""TARGET on the command line → a target and its journal."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from deidfhir.errors import FatalError, UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.sync.folder import NdjsonFolder
from deidfhir.sync.journal import Journal, default_path
from deidfhir.sync.server import FhirServer
from deidfhir.sync.target import Target
from deidfhir.sync.timing import DEFAULT_TIMEOUT, Clock
from deidfhir.sync.transport import Transport


def open_target(
    to: str,
    context: MappingContext,
    timeout: float = DEFAULT_TIMEOUT,
    clock: Clock | None = None,
) -> Target:
    """Return the target; nothing is asked of it yet.

    Args:
        to: A FHIR base URL or a folder.
        context: Tells the FHIR version.
        timeout: Seconds for one request with all its repetitions.
        clock: The time; the system's by default.

    Raises:
        UsageError: `target-form` or `target-is-file`.
    """
    if "://" in to or to.startswith("http:"):
        parts = urlsplit(to)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            shown = f"{parts.scheme}://…"
            raise UsageError("target-form", target=shown)
        transport = Transport(to, timeout, clock or Clock())
        return FhirServer(transport, context.version.number, context.version.name)
    path = Path(to)
    if path.exists() and not path.is_dir():
        raise UsageError("target-is-file", path=path)
    return NdjsonFolder(path)


def open_journal(
    path: Path | None, target: Target, context: MappingContext, *, read_only: bool = False
) -> Journal:
    """Return the journal of a target; by default the one in the user's state folder.

    Args:
        path: The file; None for the default.
        target: The target.
        context: Tells FHIR version and namespace, to which ids and so the journal belong.
        read_only: Whether nothing may be written.

    Raises:
        FatalError: `journal-other-target`, `journal-unusable` or `journal-newer`.
    """
    name = _name(target)
    identity = {
        "target": name,
        "fhir": context.version.name,
        "site": f"{context.settings.namespace} {context.settings.tenant}".strip(),
    }
    if path is None:
        kind = "server" if isinstance(target, FhirServer) else "folder"
        digest = sha256("\n".join(identity.values()).encode()).hexdigest()[:16]
        path = default_path(kind, dict(os.environ), digest)
    journal = Journal(path, read_only=read_only)
    if not journal.belongs_to(**identity):
        journal.close()
        raise FatalError("journal-other-target", path=path)
    if not read_only:
        journal.claim(**identity)
    return journal


def _name(target: Target) -> str:
    return target.shown if isinstance(target, FhirServer) else os.path.abspath(target.shown)  # noqa: PTH100 - a link is a name of its own
