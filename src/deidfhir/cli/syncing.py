"""`deidfhir sync` and `verify`: what reads objects and asks a target."""

from __future__ import annotations

import argparse
from dataclasses import replace

from deidfhir.cli import render, verified
from deidfhir.cli.inputs import as_json
from deidfhir.cli.observing import Observer
from deidfhir.cli.progress import Progress, say_error, tell
from deidfhir.cli.site import run_options
from deidfhir.cli.stopping import stopping
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.pipeline.verifying import run_verify


def sync(options: argparse.Namespace, progress: Progress) -> int:
    """Make a target state what the objects state."""
    return Observer(options)(lambda observer: _synced(options, progress, observer))


def _synced(options: argparse.Namespace, progress: Progress, observer: Observer) -> int:
    with stopping() as stop:
        settled = replace(run_options(options, progress), stop=stop)
        done = observer.run = run_sync(
            settled,
            _target_options(options, observer),
            dry_run=options.dry_run,
            confirmed=options.confirm_vanished,
            full=options.full,
        )
    progress.close()
    if options.json:
        tell([as_json(render.sync_object(done, dry_run=options.dry_run))])
    else:
        tell(render.sync_lines(done, dry_run=options.dry_run))
    say_error(done.report.error)
    return done.exit_code


def verify(options: argparse.Namespace, progress: Progress) -> int:
    """Compare a target with what the objects state."""
    return Observer(options)(lambda observer: _compared(options, progress, observer))


def _compared(options: argparse.Namespace, progress: Progress, observer: Observer) -> int:
    with stopping() as stop:
        settled = run_options(options, progress)
        if options.repair:
            settled = replace(settled, stop=stop)
        where = _target_options(options, observer)
        done = observer.run = run_verify(settled, where, repair=options.repair)
    progress.close()
    if options.json:
        tell([as_json(verified.verify_object(done))])
    else:
        tell(verified.verify_lines(done))
    say_error(done.error)
    return done.exit_code


def _target_options(options: argparse.Namespace, observer: Observer) -> TargetOptions:
    where = TargetOptions(options.to, options.journal, options.timeout, events=observer.events)
    given = {one: getattr(options, one, None) for one in ("deadline", "connections")}
    return replace(where, **{one: value for one, value in given.items() if value is not None})
