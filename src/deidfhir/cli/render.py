"""Reports as text for people and as objects for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from deidfhir.cli.progress import printable
from deidfhir.cli.traffic import traffic_lines, traffic_object
from deidfhir.model.finding import Finding
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.runs import SyncRun, VerifyRun
from deidfhir.policy.policy import policy_line
from deidfhir.sync.report import SyncReport

RESOURCE_OUTCOMES = ("created", "updated", "unchanged", "deleted", "failed")
FATES = ("retired", "deleted", "revived")
_SHOWN = 10
_REFUSING = ("partial-study", "duplicate-instance-differs")


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
    by_target = {one.name for one in report.troubles if one.code in _REFUSING}
    refused = by_target | {one.path for one in run.work.refusals}
    return {
        "command": "sync",
        "target": run.target.shown,
        "fhir": run.work.context.version.name,
        "accept": sorted(one.value for one in run.work.policy.accept),
        "policy": run.work.context.decided(),
        "dry_run": dry_run,
        **counts,
        "refused": len(refused),
        "findings": counts["findings"] + len(report.troubles),
        "requests": run.target.traffic.requests,
        "traffic": traffic_object(run.target.traffic),
        "resources": {name: report.resources[name] for name in RESOURCE_OUTCOMES},
        "withdrawn": report.withdrawn,
        "vanished": report.vanished,
        **{fate: report.fates[fate] for fate in FATES},
        **_details(run.work),
        "troubles": [
            {"finding": Finding(one.code, one.name).as_dict(), "detail": one.detail}
            for one in report.troubles
        ],
        "outcome": run.work.outcome(Finding(one.code, one.name) for one in report.troubles),
        "error": None if report.error is None else str(report.error),
        "exit_code": run.exit_code,
    }


def verify_object(run: VerifyRun) -> dict[str, Any]:
    """Return what `verify --json` prints."""
    report = run.report
    return {
        "command": "verify",
        "target": run.target.shown,
        "fhir": run.work.context.version.name,
        "accept": sorted(one.value for one in run.work.policy.accept),
        "policy": run.work.context.decided(),
        **input_counts(run.work),
        "requests": run.target.traffic.requests,
        "traffic": traffic_object(run.target.traffic),
        "ok": report.ok,
        "missing": len(report.missing),
        "drifted": len(report.drifted),
        "resources": {**dict.fromkeys(RESOURCE_OUTCOMES, 0), "unchanged": report.ok},
        "differences": [
            {"resource": name, "path": path, "state": state}
            for state, found in (("missing", report.missing), ("drifted", report.drifted))
            for name, path in found
        ],
        **_details(run.work),
        "outcome": run.work.outcome(),
        "error": None if report.error is None else str(report.error),
        "exit_code": run.exit_code,
    }


def _details(work: Work) -> dict[str, Any]:
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
    lines += _listed(
        "refused",
        [
            f"{one.path}: {one.verdict.value}"
            if one.finding.code == "not-accepted"
            else f"{one.path}: {one.finding.text}" + (f" ({one.detail})" if one.detail else "")
            for one in work.refusals
        ],
        "see what they claim with `deidfhir show`",
    )
    lines += _listed("skipped", [f"{one.path}: {one.text}" for one in work.reading.skipped])
    lines += _listed("tools", [f"{tool} in {count}" for tool, count in counts["tools"].items()])
    if counts["unrecognised"]:
        known = "`deidfhir show --json` lists them; add entries with --tools"
        lines.append(f"unknown   {counts['unrecognised']} method texts ({known})")
    seen = Counter(one.code for one in work.findings)
    lines += _listed(
        "findings",
        [f"{code} in {count}: {Finding(code).text}" for code, count in sorted(seen.items())],
        count=len(work.findings),
    )
    return lines


def _listed(
    word: str, entries: list[str], remark: str = "", *, count: int | None = None
) -> list[str]:
    if not entries:
        return []
    number = len(entries) if count is None else count
    lines = [f"{word:<9} {number}" + (f" ({remark})" if remark else "")]
    lines += [f"          - {printable(one)}" for one in entries[:_SHOWN]]
    if len(entries) > _SHOWN:
        lines.append(f"          - and {len(entries) - _SHOWN} more (--json lists all)")
    return lines


def sync_lines(run: SyncRun, *, dry_run: bool) -> list[str]:
    """Return the report of a sync, as lines."""
    report = run.report
    told = ", ".join(
        f"{report.resources[name]} {name}" for name in RESOURCE_OUTCOMES if report.resources[name]
    )
    word = "would be" if dry_run else "resources"
    lines = [
        *input_lines(run.work),
        f"target    {run.target.shown} (FHIR {run.work.context.version.name})",
        f"{word:<9} {told or 'nothing to send'}",
        *_fate_lines(report),
        *traffic_lines(run.target.traffic),
    ]
    loud = [
        f"{one.name}: {Finding(one.code).text}" + (f" ({one.detail})" if one.detail else "")
        for one in report.troubles
    ]
    return lines + _listed("attention", loud)


def _fate_lines(report: SyncReport) -> list[str]:
    """Return what became of the studies that vanished or came back, if any did."""
    gone = [f"{report.fates[one]} {one}" for one in ("retired", "deleted") if report.fates[one]]
    lines = []
    if report.vanished:
        lines.append(f"vanished  {report.vanished}" + (f" ({', '.join(gone)})" if gone else ""))
    if report.fates["revived"]:
        lines.append(f"revived   {report.fates['revived']}")
    return lines


def verify_lines(run: VerifyRun) -> list[str]:
    """Return the report of a verification, as lines."""
    report = run.report
    return [
        *input_lines(run.work),
        f"target    {run.target.shown} (FHIR {run.work.context.version.name})",
        f"compared  {report.ok} ok, {len(report.missing)} missing, {len(report.drifted)} drifted",
        *_listed("missing", [f"{name} of {path}" for name, path in report.missing]),
        *_listed("drifted", [f"{name} of {path}" for name, path in report.drifted]),
        *(
            ["          to send them again, run sync with a fresh --journal"]
            if report.missing or report.drifted
            else []
        ),
        *traffic_lines(run.target.traffic),
    ]
