"""What each command does, once its options are parsed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from deidfhir.cli import claims, dead, doctor, publishing, render, reversing, verified
from deidfhir.cli.observing import Observer
from deidfhir.cli.progress import Progress, printable
from deidfhir.cli.site import settings_of
from deidfhir.cli.stopping import stopping
from deidfhir.errors import DeidFhirError, SkippableError
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.explain import explained
from deidfhir.pipeline.options import RunOptions, TargetOptions
from deidfhir.pipeline.publishing import write_text
from deidfhir.pipeline.runs import input_exit_code, run_map, run_sync
from deidfhir.pipeline.show import shown
from deidfhir.pipeline.sources import read_paths
from deidfhir.pipeline.verifying import run_verify
from deidfhir.pipeline.workers import default_workers
from deidfhir.sync.folder import line_of


def _show(options: argparse.Namespace, progress: Progress) -> int:
    context = _context(options)
    told = partial(progress, "files read")
    reading = read_paths(options.paths, told, options.workers or default_workers())
    progress.close()
    content = shown(reading, context)
    _print([render.as_json(content)] if options.json else claims.show_lines(content))
    return SkippableError.exit_code if reading.skipped else 0


def _explain(options: argparse.Namespace, _progress: Progress) -> int:
    content = explained(options.file, _context(options))
    _print([render.as_json(content)] if options.json else claims.explain_lines(content))
    return 0


def _map(options: argparse.Namespace, progress: Progress) -> int:
    work, bundles = run_map(_run_options(options, progress, options.recorded))
    for bundle in bundles:
        print(line_of(bundle))  # noqa: T201 - the data
    progress.close()
    if options.findings is not None:
        write_text(options.findings, line_of(work.outcome()) + "\n")
    _say(render.input_lines(work))
    return input_exit_code(work)


def _sync(options: argparse.Namespace, progress: Progress) -> int:
    return Observer(options)(lambda observer: _synced(options, progress, observer))


def _synced(options: argparse.Namespace, progress: Progress, observer: Observer) -> int:
    with stopping() as stop:
        settled = replace(_run_options(options, progress), stop=stop)
        done = observer.run = run_sync(
            settled,
            _target_options(options, observer),
            dry_run=options.dry_run,
            confirmed=options.confirm_vanished,
            full=options.full,
        )
    progress.close()
    if options.json:
        _print([render.as_json(render.sync_object(done, dry_run=options.dry_run))])
    else:
        _print(render.sync_lines(done, dry_run=options.dry_run))
    _say_error(done.report.error)
    return done.exit_code


def _verify(options: argparse.Namespace, progress: Progress) -> int:
    return Observer(options)(lambda observer: _compared(options, progress, observer))


def _compared(options: argparse.Namespace, progress: Progress, observer: Observer) -> int:
    with stopping() as stop:
        settled = _run_options(options, progress)
        if options.repair:
            settled = replace(settled, stop=stop)
        where = _target_options(options, observer)
        done = observer.run = run_verify(settled, where, repair=options.repair)
    progress.close()
    if options.json:
        _print([render.as_json(verified.verify_object(done))])
    else:
        _print(verified.verify_lines(done))
    _say_error(done.error)
    return done.exit_code


def _run_options(
    options: argparse.Namespace, progress: Progress, recorded: str | None = None
) -> RunOptions:
    given = tuple(options.paths), _context(options, recorded), progress
    return RunOptions(*given, workers=options.workers or default_workers())


def _context(options: argparse.Namespace, recorded: str | None = None) -> MappingContext:
    """Return the context of a command; a mistake in it is told before anything is read."""
    context = MappingContext(getattr(options, "fhir", "R4"), settings_of(options), recorded)
    context = context.accepting(getattr(options, "accept", None))
    context.prepare()
    return context


def _target_options(options: argparse.Namespace, observer: Observer) -> TargetOptions:
    where = TargetOptions(options.to, options.journal, options.timeout, events=observer.events)
    given = {one: getattr(options, one, None) for one in ("deadline", "connections")}
    return replace(where, **{one: value for one, value in given.items() if value is not None})


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201 - the data


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line), file=sys.stderr)  # noqa: T201 - the talk


def _say_error(error: DeidFhirError | None) -> None:
    if error is not None:
        _say([f"deidfhir: {error}"])


COMMANDS: dict[str, Callable[[argparse.Namespace, Progress], int]] = {
    "show": _show,
    "map": _map,
    "sync": _sync,
    "verify": _verify,
    "explain": _explain,
    "dead": dead.dead,
    "doctor": doctor.doctor,
    "reverse": reversing.reverse,
    "package": publishing.package,
    "install": publishing.install,
}
