"""What the requests of a run cost, as lines for people and as an object for programs."""

from __future__ import annotations

from typing import Any

from deidfhir.web.traffic import QUANTILES, Traffic


def traffic_object(traffic: Traffic, seconds: float) -> dict[str, Any]:
    """Return the key `traffic` of `--json`.

    Args:
        traffic: The requests.
        seconds: How long the run took.
    """
    return {
        "statuses": {str(status): traffic.statuses[status] for status in sorted(traffic.statuses)},
        "unanswered": traffic.unanswered,
        "repeated": traffic.repeated,
        "waited": round(traffic.waited, 3),
        "rate": _rounded(traffic.rate(seconds)),
        "sent": traffic.sent,
        "received": traffic.received,
        "seconds": {f"p{one}": _rounded(traffic.quantile(one)) for one in QUANTILES},
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def traffic_lines(traffic: Traffic, seconds: float) -> list[str]:
    """Return how many requests there were, and unless none, what they cost.

    Args:
        traffic: The requests.
        seconds: How long the run took.
    """
    lines = [f"requests  {traffic.requests}"]
    if not traffic.requests:
        return lines
    told = [f"{traffic.statuses[status]} HTTP {status}" for status in sorted(traffic.statuses)]
    told += [
        f"{count} {word}"
        for word, count in (("unanswered", traffic.unanswered), ("repeated", traffic.repeated))
        if count
    ]
    lines[0] += f": {', '.join(told)}"
    lines.append(f"bytes     {traffic.sent} sent, {traffic.received} received")
    rate = traffic.rate(seconds)
    lines.append(
        f"time      {seconds:.1f} s"
        + (f", {rate:.1f} requests/s" if rate is not None else "")
        + (f", {traffic.waited:.1f} s waited to repeat" if traffic.waited else "")
    )
    times = [
        f"p{one} {taken:.3f} s" for one in QUANTILES if (taken := traffic.quantile(one)) is not None
    ]
    if times:
        lines.append(f"answers   {', '.join(times)}")
    return lines
