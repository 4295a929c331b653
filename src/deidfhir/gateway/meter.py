"""The numbers of a gateway, for `GET /metrics` (`mappings/metrics.toml`)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from deidfhir.pipeline.textfile import Sample, sample, textfile

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_ROUTE = "none"
"""The label of requests for a path that there is not: their own word is never a label."""


class Meter:
    """Counts the requests since the gateway began; every label is of our own words."""

    def __init__(self) -> None:
        self.under_way = 0
        self.further: list[Callable[[], Iterator[Sample]]] = []
        """What gives further samples, such as those of a queue."""

        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._refusals: Counter[str] = Counter()
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BUCKETS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)

    def note(self, route: str, status: int, seconds: float, code: str = "") -> None:
        """Count an answer.

        Args:
            route: Path of the route as the table has it, or `NO_ROUTE`.
            status: HTTP status.
            seconds: From the head of the request to the answer.
            code: Of the finding that a refusal has first.
        """
        with self._lock:
            self._answers[route, status] += 1
            self._buckets[route][bisect_left(_BUCKETS, seconds)] += 1
            self._seconds[route] += seconds
            if code:
                self._refusals[code] += 1

    def text(self, *, ready: bool) -> str:
        """Return all numbers (Prometheus text format 0.0.4).

        Args:
            ready: Whether the gateway takes requests.
        """
        with self._lock:
            samples = list(self._samples())
        samples.append(sample("deidfhir_gateway_ready", int(ready)))
        for one in self.further:
            samples += one()
        return textfile(samples, {}, "")

    def _samples(self) -> Iterator[Sample]:
        for (route, status), count in sorted(self._answers.items()):
            name = "deidfhir_gateway_requests_total"
            yield sample(name, count, route=route, status=str(status))
        for code, count in sorted(self._refusals.items()):
            yield sample("deidfhir_gateway_refused_total", count, finding=code)
        yield sample("deidfhir_gateway_requests_under_way", self.under_way)
        name = "deidfhir_gateway_request_duration_seconds"
        for route, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*_BUCKETS, "+Inf"), counts, strict=True):
                total += count
                yield sample(name, total, suffix="_bucket", route=route, le=str(bound))
            yield sample(name, self._seconds[route], suffix="_sum", route=route)
            yield sample(name, total, suffix="_count", route=route)
