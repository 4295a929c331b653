"""Reports as text for people and as objects for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from deidfhir.cli.existing import existing_lines, existing_object
from deidfhir.cli.progress import printable
from deidfhir.cli.server import server_lines, server_object
from deidfhir.cli.traffic import traffic_lines, traffic_object
from deidfhir.model.finding import Finding
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.runs import SyncRun
from deidfhir.policy.policy import policy_line
from deidfhir.sync.report import OUTCOMES, SyncReport, Trouble

FATES = ("retired", "deleted", "revived")
_SHOWN = 10


def as_json(content: object) -> str:
    """Return one JSON object on one line for stdout."""
    return json.dumps(content, ensure_ascii=False)


def input_counts(work: Work) -> dict[str, Any]:
    """Return the keys that `map`, `sync` and `verify` share."""
    reading = work.reading
    return {
        "studies": work.studies,
        "instances": reading.instances,
        "verdicts": {one.value: work.verdicts[one.value] for one in Verdict},
        "refused": len(work.refusals),
        "skipped": len(reading.skipped),
        "foreign": reading.foreign,
        "findings": len(work.findings),
        "tools": dict(sorted(work.tools.items())),
        "unrecognised": work.unrecognised,
    }


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


def details(work: Work) -> dict[str, Any]:
    """Return the lists that `sync` and `verify` share."""
    return {
        "refusals": [one.as_dict() for one in work.refusals],
        "skips": [one.as_dict() for one in work.reading.skipped],
    }


def input_lines(work: Work) -> list[str]:
    """Return what was read, refused and skipped, as lines."""
    counts = input_counts(work)
    lines = [
        f"read      {counts['studies']} studies, {counts['instances']} instances"
        + (f", {counts['foreign']} foreign files passed over" if counts["foreign"] else ""),
        printable(f"policy    {policy_line(work.context.decided())}"),
    ]
    told = [f"{count} {name}" for name, count in counts["verdicts"].items() if count]
    if told:
        lines.append(f"verdicts  {', '.join(told)}")
    lines += listed(
        "refused",
        [
            f"{one.path}: {one.verdict.value}"
            if one.finding.code == "not-accepted"
            else f"{one.path}: {one.finding.text}" + (f" ({one.detail})" if one.detail else "")
            for one in work.refusals
        ],
        "see what they claim with `deidfhir show`",
    )
    lines += listed("skipped", [f"{one.path}: {one.text}" for one in work.reading.skipped])
    lines += listed("tools", [f"{tool} in {count}" for tool, count in counts["tools"].items()])
    if counts["unrecognised"]:
        known = "`deidfhir show --json` lists them; add entries with --tools"
        lines.append(f"unknown   {counts['unrecognised']} method texts ({known})")
    seen = Counter(one.code for one in work.findings)
    lines += listed(
        "findings",
        [f"{code} in {count}: {Finding(code).text}" for code, count in sorted(seen.items())],
        count=len(work.findings),
    )
    return lines


def listed(
    word: str, entries: list[str], remark: str = "", *, count: int | None = None
) -> list[str]:
    """Return a heading with its number, and the first entries below it; nothing without entries.

    Args:
        word: The heading.
        entries: What is listed.
        remark: What stands beside the number.
        count: The number, if it is not that of the entries.
    """
    if not entries:
        return []
    number = len(entries) if count is None else count
    lines = [f"{word:<9} {number}" + (f" ({remark})" if remark else "")]
    lines += [f"          - {printable(one)}" for one in entries[:_SHOWN]]
    if len(entries) > _SHOWN:
        lines.append(f"          - and {len(entries) - _SHOWN} more (--json lists all)")
    return lines


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
