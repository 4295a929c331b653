"""How the gateway is: `GET /healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deidfhir.gateway.answers import SOON, refused
from deidfhir.gateway.gateway import Gateway

TEXT = "text/plain"
METRICS = "text/plain; version=0.0.4; charset=utf-8"


async def live(_request: Request, _gateway: Gateway) -> Response:
    """Answer as long as the process answers anything."""
    return Response("ok\n", media_type=TEXT)


async def ready(_request: Request, gateway: Gateway) -> Response:
    """Answer whether requests are taken.

    Raises:
        Refused: `gateway-draining`, `gateway-unready` or `target-unready`.
    """
    if gateway.is_draining:
        raise refused("gateway-draining", **SOON)
    if not gateway.is_ready:
        raise refused("gateway-unready", **SOON)
    if gateway.reaching is not None and not await gateway.reaching.is_reached():
        raise refused("target-unready", Retry_After="5")
    return Response("ready\n", media_type=TEXT)


async def metrics(_request: Request, gateway: Gateway) -> Response:
    """Answer with the numbers of the gateway (Prometheus text format 0.0.4)."""
    return Response(gateway.meter.text(ready=gateway.is_ready), headers={"Content-Type": METRICS})
