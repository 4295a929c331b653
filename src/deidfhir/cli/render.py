"""Reports as text for people and as objects for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deidfhir.cli.existing import existing_lines, existing_object
from deidfhir.cli.inputs import details, input_counts, input_lines, listed
from deidfhir.cli.server import server_lines, server_object
from deidfhir.cli.traffic import traffic_lines, traffic_object
from deidfhir.model.finding import Finding
from deidfhir.pipeline.runs import SyncRun
from deidfhir.sync.report import OUTCOMES, SyncReport, Trouble

FATES = ("retired", "deleted", "revived")
_SHOWN = 10


def sync_object(run: SyncRun, *, dry_run: bool) -> dict[str, Any]:
    """Return what `sync --json` prints."""
    report = run.report
    counts = input_counts(run.work)
    return {
        "command": "sync",
        "target": run.target.shown,
        "fhir": run.work.context.version.name,
        "accept": sorted(one.value for one in run.work.policy.accept),
        "policy": run.work.context.decided(),
        "dry_run": dry_run,
        **counts,
        "settled": len(run.work.reading.settled),
        "refused": run.refused,
        "findings": counts["findings"] + len(report.told),
        "duration": round(run.seconds, 3),
        "server": server_object(run.target),
        "requests": run.target.traffic.requests,
        "traffic": traffic_object(run.target.traffic, run.seconds),
        "resources": {name: report.resources[name] for name in OUTCOMES},
        "withdrawn": report.withdrawn,
        "vanished": report.vanished,
        **{fate: report.fates[fate] for fate in FATES},
        "existing": existing_object(run.work, report.existing),
        **details(run.work),
        "troubles": trouble_objects(report.told),
        "outcome": run.work.outcome(Finding(one.code, one.name) for one in report.told),
        "error": None if report.error is None else str(report.error),
        "exit_code": run.exit_code,
    }


def trouble_objects(troubles: Iterable[Trouble]) -> list[dict[str, Any]]:
    """Return the studies with which something was up."""
    return [
        {"finding": Finding(one.code, one.name).as_dict(), "detail": one.detail} for one in troubles
    ]


def sync_lines(run: SyncRun, *, dry_run: bool) -> list[str]:
    """Return the report of a sync, as lines."""
    return [
        *input_lines(run.work),
        f"target    {run.target.shown} (FHIR {run.work.context.version.name})",
        *server_lines(run.target),
        sent_line("would be" if dry_run else "resources", run.report),
        *_fate_lines(run.report),
        *traffic_lines(run.target.traffic, run.seconds),
        *existing_lines(run.work, run.report.existing),
        *trouble_lines(run.report.told),
    ]


def sent_line(word: str, report: SyncReport) -> str:
    """Return how many resources were created, updated and so on."""
    told = ", ".join(
        f"{report.resources[name]} {name}" for name in OUTCOMES if report.resources[name]
    )
    return f"{word:<9} {told or 'nothing to send'}"


def trouble_lines(troubles: Iterable[Trouble]) -> list[str]:
    """Return the studies with which something was up, loudly."""
    loud = [
        f"{one.name}: {Finding(one.code).text}" + (f" ({one.detail})" if one.detail else "")
        for one in troubles
    ]
    return listed("attention", loud)


def _fate_lines(report: SyncReport) -> list[str]:
    """Return what became of the studies that vanished or came back, if any did."""
    gone = [f"{report.fates[one]} {one}" for one in ("retired", "deleted") if report.fates[one]]
    lines = []
    if report.vanished:
        lines.append(f"vanished  {report.vanished}" + (f" ({', '.join(gone)})" if gone else ""))
    if report.fates["revived"]:
        lines.append(f"revived   {report.fates['revived']}")
    return lines
