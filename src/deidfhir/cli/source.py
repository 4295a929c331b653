"""PATHs or `--from` on the command line → a source."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from deidfhir.config import Settings
from deidfhir.containers.limits import limits_of
from deidfhir.errors import UsageError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.source import Source

if TYPE_CHECKING:
    from deidfhir.archive.archive import Archive

_FILTERS = {"modality": "ModalitiesInStudy", "study_date": "StudyDate"}
"""Option → keyword of what it matches, PS3.18 Table 10.6.1-5."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*|[0-9A-Fa-f]{8}")
_RESERVED = frozenset({"limit", "offset", "includefield", "fuzzymatching", "includeaccess"})


def source_of(
    options: argparse.Namespace, context: MappingContext
) -> tuple[Source, MappingContext]:
    """Return where studies come from, and the context that says where the images are.

    Args:
        options: Of the command line.
        context: The command's.

    Raises:
        UsageError: What is named is no source, or two of them.
    """
    matching = _matching(options)
    if options.source is None:
        _require_files(options, matching)
        return Files(tuple(options.paths), limits_of(context.settings)), context
    if options.paths:
        raise UsageError("source-twice")
    from deidfhir.archive.archive import Query  # noqa: PLC0415 - files need none of it
    from deidfhir.pipeline.archives import of_archive  # noqa: PLC0415

    archive = archive_of(options, context.settings)
    return of_archive(archive, Query(matching, options.limit), context)


def archive_of(options: argparse.Namespace, settings: Settings) -> Archive:
    """Return the archive of `--from`; nothing is asked of it yet.

    Args:
        options: Of the command line.
        settings: The site's.

    Raises:
        UsageError: What is named is no archive.
    """
    from deidfhir.archive.opening import Opening, open_archive  # noqa: PLC0415 - files need none

    given = {name: getattr(options, name, None) for name in ("timeout", "connections")}
    opening = Opening(settings.source_access)
    opening = replace(opening, **{name: one for name, one in given.items() if one is not None})
    return open_archive(options.source, opening)


def _require_files(options: argparse.Namespace, matching: dict[str, str]) -> None:
    if not options.paths:
        raise UsageError("source-missing", command=options.command)
    if matching or options.limit:
        raise UsageError("source-only", option="--limit" if options.limit else "a filter")


def _matching(options: argparse.Namespace) -> dict[str, str]:
    """Return what studies must match.

    Raises:
        UsageError: `source-query`.
    """
    found = {
        keyword: getattr(options, name)
        for name, keyword in _FILTERS.items()
        if getattr(options, name)
    }
    for one in options.query:
        key, equals, value = one.partition("=")
        if not (equals and value and _KEY.fullmatch(key)) or key in found:
            raise UsageError("source-query")
        if key.lower() in _RESERVED:
            raise UsageError("source-query")
        found[key] = value
    return found
