"""`POST /sync` and `GET /sync/{unit}`: what is sent is stated on the target, as a sync would."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import JSON, SOON, Refused, refused
from deidfhir.gateway.body import form_of, received
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.media import MediaType
from deidfhir.gateway.objects import OBJECTS, instances_of, read_body
from deidfhir.gateway.route import Route
from deidfhir.model.finding import Finding
from deidfhir.pipeline.delivery import Delivery, delivery_of
from deidfhir.pipeline.intake import UNDER_WAY, WAITING, Crowded, Halted, Intake
from deidfhir.pipeline.outcomes import FAILED, STATED, Outcome
from deidfhir.pipeline.textfile import Sample, sample
from deidfhir.web.numbers import line_of

_LONGEST = 60
_LOOK = 0.02
_GRACE = 1.0
"""Seconds for a run that was asked to end, if nothing holds it up."""
_OPEN = (WAITING, UNDER_WAY)
_PASSING = "server-failed"


@dataclass(slots=True)
class Syncing:
    """The routes, with the worker behind them.

    Args:
        intake: What waits.
    """

    intake: Intake
    _worker: threading.Thread | None = field(default=None, init=False)

    def routes(self) -> tuple[Route, ...]:
        """Return the rows of the table of routes."""
        wait = {
            "name": "wait",
            "in": "query",
            "description": "Seconds to wait for what comes of it.",
            "schema": {"type": "integer", "minimum": 0, "maximum": _LONGEST},
        }
        unit = {"name": "unit", "in": "path", "required": True, "schema": {"type": "string"}}
        return (
            Route(
                "/sync",
                "POST",
                self.take,
                {
                    "summary": "Has stated on the target what objects state.",
                    "parameters": [wait],
                    "responses": {"202": {"description": "It waits; Location tells its unit."}},
                },
                answers=(JSON,),
                bodies=OBJECTS,
                is_work=True,
                refusals=(422, 429, 503),
            ),
            Route(
                "/sync/{unit}",
                "GET",
                self.look,
                {"summary": "What has come of a unit.", "parameters": [unit]},
                answers=(JSON,),
                refusals=(404,),
            ),
        )

    async def take(self, request: Request, gateway: Gateway) -> Response:
        """Take objects in; answer 202, or what came of them within the seconds of `wait`.

        Raises:
            Refused: An object cannot be used; or too much waits, or the target cannot be written
                to now; or, within `wait`, nothing of it was stated.
        """
        form, seconds = form_of(request, OBJECTS), _seconds(request)
        body = await received(request, gateway.limits)
        one = await gateway.run(_delivery, gateway, body, form)
        try:
            self.intake.put(one)
        except Halted as halted:
            raise refused("sync-halted", Retry_After=str(math.ceil(halted.seconds))) from None
        except Crowded:
            raise refused("sync-crowded", **SOON) from None
        return _answer(one.unit, await self._awaited(one.unit, seconds), waited=bool(seconds))

    async def look(self, request: Request, _gateway: Gateway) -> Response:
        """Answer what has come of a unit.

        Raises:
            Refused: `unit-unknown`.
        """
        unit = request.path_params["unit"]
        outcome = self.intake.state(unit)
        if outcome is None:
            raise refused("unit-unknown")
        return _told(unit, outcome, 200)

    async def start(self) -> None:
        """Begin to work."""
        self._worker = threading.Thread(target=self.intake.work, name="deidfhir-sync", daemon=True)
        self._worker.start()

    async def drain(self, seconds: float) -> None:
        """Let what waits be done, and take nothing more.

        Args:
            seconds: How long that may take, from when it is said first.
        """
        self.intake.end(seconds)

    async def stop(self, seconds: float) -> None:
        """Wait until the worker has ended, and say what could not be done.

        A target that does not answer holds it up for longer than it has: then it is left alone.

        Args:
            seconds: As for `drain`.
        """
        await self.drain(seconds)
        if self._worker is not None:
            await asyncio.to_thread(self._worker.join, self.intake.remaining + _GRACE)
        if left := self.intake.waiting:
            self.intake.tell(f"{left} units were not stated: they must be sent again")

    def samples(self) -> Iterator[Sample]:
        """Yield how much waits, and what came of what was done."""
        yield sample("deidfhir_gateway_units_waiting", self.intake.waiting)
        for outcome, count in sorted(self.intake.done.items()):
            yield sample("deidfhir_gateway_units_total", count, outcome=outcome)

    async def _awaited(self, unit: str, seconds: int) -> Outcome:
        loop = asyncio.get_running_loop()
        over = loop.time() + seconds
        while True:
            outcome = self.intake.state(unit) or Outcome(WAITING)
            if outcome.state not in _OPEN or loop.time() >= over:
                return outcome
            if self.intake.error is not None:
                raise refused("sync-halted", **SOON)
            await asyncio.sleep(_LOOK)


def _delivery(gateway: Gateway, body: bytes, form: MediaType) -> Delivery:
    most = gateway.limits.objects
    studies, instances = instances_of(read_body(body, form, most), most)
    return delivery_of(studies, instances, gateway.context)


def _seconds(request: Request) -> int:
    given = request.query_params.multi_items()
    if not given:
        return 0
    ((name, text), *more) = given
    if more or name != "wait" or not (text.isascii() and text.isdigit() and len(text) < 4):
        raise refused("request-broken")
    return min(int(text), _LONGEST)


def _answer(unit: str, outcome: Outcome, *, waited: bool) -> Response:
    """Return the answer to whoever has sent a unit.

    Raises:
        Refused: It is known that it is not stated.
    """
    if outcome.state in _OPEN or not waited:
        return _told(unit, outcome, 202)
    if outcome.state == STATED:
        return _told(unit, outcome, 200)
    headers = {"Location": _place(unit)}
    findings = sorted(outcome.findings, key=lambda one: one.severity != "error")
    if outcome.state == FAILED and any(one.code == _PASSING for one in findings):
        raise Refused(Finding("sync-halted"), *findings, headers={**headers, "Retry-After": "1"})
    if not findings:
        raise refused("gateway-failed", **headers)
    raise Refused(*findings, headers=headers)


def _told(unit: str, outcome: Outcome, status: int) -> Response:
    findings = [one.as_dict() for one in outcome.findings]
    told = {"unit": unit, "state": outcome.state, "findings": findings}
    headers = {"Location": _place(unit)} if status == 202 else {}
    return Response(line_of(told).encode(), status, headers, JSON)


def _place(unit: str) -> str:
    return f"/sync/{unit}"
