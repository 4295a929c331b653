"""A run → the numbers that are told of it to a monitoring system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from deidfhir.model.verdict import Verdict
from deidfhir.pipeline.mapped import Work
from deidfhir.pipeline.runs import SyncRun
from deidfhir.pipeline.textfile import Sample, sample
from deidfhir.pipeline.verifying import VerifyRun
from deidfhir.sync.report import OUTCOMES, SyncReport
from deidfhir.sync.verify import VerifyReport
from deidfhir.web.traffic import Traffic

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0)
_WHOLE = (0, 3)
"""Exit codes of runs that went through all studies."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended, well or not.

    Args:
        exit_code: The exit code.
        at: When, in seconds since the epoch.
        seconds: How long it took.
        run: What it did, if it got as far as that.
    """

    exit_code: int
    at: float
    seconds: float
    run: SyncRun | VerifyRun | None


def measures(ended: Ended) -> Iterator[Sample]:
    """Yield the samples of a run.

    Args:
        ended: The run.
    """
    yield sample("deidfhir_last_run_timestamp_seconds", ended.at)
    if ended.exit_code in _WHOLE:
        yield sample("deidfhir_last_complete_timestamp_seconds", ended.at)
    if ended.exit_code == 0:
        yield sample("deidfhir_last_success_timestamp_seconds", ended.at)
    yield sample("deidfhir_last_run_exit_code", ended.exit_code)
    yield sample("deidfhir_last_run_duration_seconds", ended.seconds)
    yield sample("deidfhir_runs_total", 1, exit_code=str(ended.exit_code))
    run = ended.run
    if run is None:
        return
    yield from _read(run.work)
    yield from _traffic(run.target.traffic)
    if run.sent is not None:
        yield from _sent(run.sent)
    if isinstance(run, SyncRun):
        yield sample("deidfhir_last_run_refused_studies", run.refused)
        if run.dead is not None:
            yield sample("deidfhir_dead_letters", run.dead)
    else:
        yield sample("deidfhir_last_run_refused_studies", len(run.work.refusals))
        yield from _compared(run.report if run.repair is None else run.repair.after)


def _read(work: Work) -> Iterator[Sample]:
    for one in Verdict:
        yield sample("deidfhir_last_run_studies", work.verdicts[one.value], verdict=one.value)
    yield sample("deidfhir_last_run_instances", work.reading.instances)
    yield sample("deidfhir_last_run_skipped_files", len(work.reading.skipped))


def _sent(report: SyncReport) -> Iterator[Sample]:
    for outcome in OUTCOMES:
        yield sample("deidfhir_resources_total", report.resources[outcome], outcome=outcome)
    for code, count in sorted(Counter(one.code for one in report.troubles).items()):
        yield sample("deidfhir_last_run_troubles", count, finding=code)


def _compared(report: VerifyReport) -> Iterator[Sample]:
    name = "deidfhir_last_run_compared_resources"
    yield sample(name, report.ok, state="ok")
    for state in ("missing", "drifted", "vanished"):
        yield sample(name, len(getattr(report, state)), state=state)


def _traffic(traffic: Traffic) -> Iterator[Sample]:
    for status, count in sorted(traffic.statuses.items()):
        yield sample("deidfhir_requests_total", count, status=str(status))
    yield sample("deidfhir_requests_total", traffic.unanswered, status="none")
    yield sample("deidfhir_request_retries_total", traffic.repeated)
    yield sample("deidfhir_request_wait_seconds_total", traffic.waited)
    yield sample("deidfhir_sent_bytes_total", traffic.sent)
    yield sample("deidfhir_received_bytes_total", traffic.received)
    name, seconds = "deidfhir_request_duration_seconds", traffic.seconds
    for bound in _BUCKETS:
        count = sum(one <= bound for one in seconds)
        yield sample(name, count, suffix="_bucket", le=str(bound))
    yield sample(name, len(seconds), suffix="_bucket", le="+Inf")
    yield sample(name, sum(seconds), suffix="_sum")
    yield sample(name, len(seconds), suffix="_count")
