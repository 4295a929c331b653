"""The report of `verify`: as lines for people, as an object for programs."""

from __future__ import annotations

from typing import Any

from deidfhir.cli.existing import existing_lines, existing_object
from deidfhir.cli.inputs import details, input_counts, input_lines, listed
from deidfhir.cli.render import FATES, sent_line, trouble_lines, trouble_objects
from deidfhir.cli.server import server_lines, server_object
from deidfhir.cli.traffic import traffic_lines, traffic_object
from deidfhir.model.finding import Finding
from deidfhir.pipeline.verifying import Repair, VerifyRun
from deidfhir.sync.report import OUTCOMES
from deidfhir.sync.verify import VerifyReport

_STATES = ("missing", "drifted", "vanished")


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
        "duration": round(run.seconds, 3),
        "server": server_object(run.target),
        "requests": run.target.traffic.requests,
        "traffic": traffic_object(run.target.traffic, run.seconds),
        **_counts(report),
        "resources": {**dict.fromkeys(OUTCOMES, 0), "unchanged": report.ok},
        "differences": [
            {"resource": name, "path": path, "state": state}
            for name, path, state in report.differences
        ],
        "repair": None if run.repair is None else _repair_object(run.repair),
        "existing": existing_object(run.work, report.existing),
        **details(run.work),
        "troubles": trouble_objects(report.troubles),
        "outcome": run.work.outcome(Finding(one.code, one.name) for one in report.troubles),
        "error": None if run.error is None else str(run.error),
        "exit_code": run.exit_code,
    }


def _counts(report: VerifyReport) -> dict[str, int]:
    return {"ok": report.ok, **{one: len(getattr(report, one)) for one in _STATES}}


def _repair_object(repair: Repair) -> dict[str, Any]:
    sent = repair.sent
    return {
        "resources": {name: sent.resources[name] for name in OUTCOMES},
        **{fate: sent.fates[fate] for fate in FATES},
        "troubles": trouble_objects(sent.told),
        **_counts(repair.after),
    }


def verify_lines(run: VerifyRun) -> list[str]:
    """Return the report of a verification, as lines."""
    report = run.report
    lines = [
        *input_lines(run.work),
        f"target    {run.target.shown} (FHIR {run.work.context.version.name})",
        *server_lines(run.target),
        f"compared  {_told(report)}",
    ]
    for state in _STATES:
        lines += listed(
            state,
            [
                f"{name} of {path}" if path else name
                for name, path, one in report.differences
                if one == state
            ],
        )
    lines += existing_lines(run.work, report.existing) + trouble_lines(report.troubles)
    if run.repair is not None:
        lines += [
            sent_line("repaired", run.repair.sent),
            *trouble_lines(run.repair.sent.told),
            f"then      {_told(run.repair.after)}",
        ]
    elif report.differences:
        lines.append("          to send them again, add --repair")
    return lines + traffic_lines(run.target.traffic, run.seconds)


def _told(report: VerifyReport) -> str:
    counts = _counts(report)
    return ", ".join(
        f"{count} {word}" for word, count in counts.items() if count or word != "vanished"
    )
