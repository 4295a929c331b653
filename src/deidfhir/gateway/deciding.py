"""`GET /decide`: whether an ImagingStudy may be given away; whatever is not known refuses."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.fhir.outcome import operation_outcome
from deidfhir.gateway.answers import FHIR_JSON, JSON
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.route import Route
from deidfhir.model.finding import Finding
from deidfhir.pipeline.deciding import Decider, Question
from deidfhir.pipeline.judging import Decision
from deidfhir.pipeline.textfile import Sample, sample
from deidfhir.tables import table
from deidfhir.web.numbers import line_of

REASON, VERSION = "X-Deidfhir-Reason", "X-Deidfhir-Version"
_FORBIDDEN = 403
_THREADS = 8
_MOST = 64
"""Questions that are under way or wait for a thread."""

_WORD = re.compile(r"[A-Za-z0-9.-]{1,64}")
_ASKED = ("study", "resource")


@dataclass(slots=True)
class Deciding:
    """The route, with its threads: a target that is slow holds up no other route.

    Args:
        decider: Decides.
    """

    decider: Decider
    _pool: ThreadPoolExecutor = field(init=False)
    _under_way: int = field(default=0, init=False)
    _given: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        """Prepare the threads."""
        self._pool = ThreadPoolExecutor(_THREADS, "deidfhir-decide")

    def route(self) -> Route:
        """Return the row of the table of routes."""
        named = {
            "study": "Study Instance UID; this or `resource`.",
            "resource": "`ImagingStudy/ID`, as the target calls it; this or `study`.",
        }
        parameters = [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
            for name, text in named.items()
        ]
        summary = "Whether an ImagingStudy may be given away: 200, or 403 with the reason."
        operation = {"summary": summary, "parameters": parameters}
        forms = (JSON, FHIR_JSON)
        return Route("/decide", "GET", self.handle, operation, answers=forms, refusals=(403,))

    async def handle(self, request: Request, gateway: Gateway) -> Response:
        """Answer 200 or 403, and nothing else, to whoever may ask."""
        decision = await self._decision(_question(request))
        self._given[decision.reason] += 1
        headers = {REASON: decision.reason, "Cache-Control": "no-store"}
        if decision.lasts:
            headers["Cache-Control"] = f"private, max-age={int(decision.lasts)}"
            headers["Age"] = str(int(decision.age) + 1)  # rounded up: none stands too long
        words = table("decisions.toml")["reason"][decision.reason]["words"]
        if not decision.is_allowed:
            outcome = operation_outcome(
                [Finding("not-given-away")], gateway.context.settings.canonical
            )
            detail = f" ({decision.detail})" if decision.detail else ""
            outcome["issue"][0]["diagnostics"] = f"{decision.reason}{detail}: {words}"
            return Response(line_of(outcome).encode(), _FORBIDDEN, headers, FHIR_JSON)
        if _WORD.fullmatch(decision.version):
            headers[VERSION] = decision.version
        told = {"reason": decision.reason, "words": words, "version": headers.get(VERSION)}
        return Response(line_of(told).encode(), 200, headers, JSON)

    async def stop(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def samples(self) -> Iterator[Sample]:
        """Yield how many decisions were made, by reason."""
        for reason, count in sorted(self._given.items()):
            yield sample("deidfhir_gateway_decisions_total", count, reason=reason)

    async def _decision(self, question: Question | None) -> Decision:
        if self._under_way >= _MOST:
            return Decision("unreachable", "gateway-crowded")
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(2 * self.decider.timeout):
                return await loop.run_in_executor(self._pool, self.decider.decide, question)
        except Exception:  # noqa: BLE001 - what nobody foresaw refuses, too
            return Decision("unreachable", "gateway-slow")
        finally:
            self._under_way -= 1


def _question(request: Request) -> Question | None:
    """Return what is asked: one thing, once."""
    given = request.query_params.multi_items()
    if len(given) != 1 or given[0][0] not in _ASKED:
        return None
    named = dict(given)
    return Question.of(named.get("study"), named.get("resource"))
