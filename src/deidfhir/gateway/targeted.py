"""The routes that a gateway has only with a target (`--to`)."""

from __future__ import annotations

from dataclasses import replace

from deidfhir.gateway.deciding import Deciding
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.route import Route
from deidfhir.gateway.syncing import Syncing
from deidfhir.pipeline.deciding import Decider
from deidfhir.pipeline.delivery import Delivery
from deidfhir.pipeline.intake import Intake, stating
from deidfhir.pipeline.outcomes import Outcome
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.lease import PASSING
from deidfhir.web.address import is_usable_url
from deidfhir.web.timing import Clock


def routes_with(gateway: Gateway, target: TargetOptions) -> tuple[Route, ...]:
    """Return the routes, and have what is behind them begin and end with the gateway.

    Args:
        gateway: What they share.
        target: The target. Of a folder nobody asks whether its studies may be given away.
    """
    decider = Decider(target, gateway.context)
    intake = Intake(lambda _: {}, (target.clock or Clock()).monotonic, gateway.tell)
    where = replace(target, holder=f"{PASSING}, process")
    run = stating(where, gateway.context, intake.why_stop)

    def stated(deliveries: tuple[Delivery, ...]) -> dict[str, Outcome]:
        try:
            return run(deliveries)
        finally:
            decider.forget()  # also where it ended early: something may have been written

    intake.run = stated
    syncing, deciding = Syncing(intake), Deciding(decider)
    gateway.checks.append(lambda: not intake.needs_someone)
    gateway.meter.further.append(syncing.samples)
    gateway.on_start.append(syncing.start)
    gateway.on_drain.append(lambda: syncing.drain(gateway.limits.draining))
    gateway.on_stop.append(lambda: syncing.stop(gateway.limits.draining))
    if not is_usable_url(target.to):
        return syncing.routes()
    gateway.meter.further.append(deciding.samples)
    gateway.on_stop.append(deciding.stop)
    return (deciding.route(), *syncing.routes())
