"""What a run read, refused and skipped: as text for people and as objects for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from deidfhir.cli.progress import printable
from deidfhir.model.finding import Finding
from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.mapped import Work
from deidfhir.policy.policy import policy_line

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


def details(work: Work) -> dict[str, Any]:
    """Return the lists that `sync` and `verify` share."""
    return {
        "refusals": [one.as_dict() for one in work.refusals],
        "skips": [one.as_dict() for one in work.reading.skipped],
    }


def input_lines(work: Work) -> list[str]:
    """Return what was read, refused and skipped, as lines."""
    counts = input_counts(work)
    settled = len(work.reading.settled)
    lines = [
        f"read      {counts['studies']} studies, {counts['instances']} instances"
        + (f", {counts['foreign']} foreign files passed over" if counts["foreign"] else "")
        + (f"; {settled} studies unchanged, their files not opened" if settled else ""),
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
