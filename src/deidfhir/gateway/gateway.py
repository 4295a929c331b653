"""What all routes of a gateway share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from deidfhir.gateway.answers import SOON, refused
from deidfhir.gateway.atonce import AtOnce
from deidfhir.gateway.limits import Limits
from deidfhir.gateway.meter import Meter
from deidfhir.gateway.reaching import Reaching
from deidfhir.gateway.tokens import Tokens
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.web.events import Events

Result = TypeVar("Result")
Hook = Callable[[], Awaitable[None]]
"""Called when the gateway begins or ends."""

_THREADS = 2


@dataclass
class Gateway:
    """A gateway: what a site decided, what requests may cost, and what is under way.

    Routes that need something of their own (a worker, a cache) add what begins and ends it to
    `on_start`, `on_drain` and `on_stop`, what keeps the gateway from being ready to `checks`, and
    numbers to `meter.further`.

    Args:
        context: The mapping's; its policy is the gate's.
        limits: What a request may cost.
        tokens: Who may ask; None where everyone on this host may.
        target: The target of `--to`; None without one.
        hosts: Names by which a request must address it; empty for any.
        events: Told of every answer.
        tell: Says a line to whoever runs the gateway.
    """

    context: MappingContext
    limits: Limits = field(default_factory=Limits)
    tokens: Tokens | None = None
    target: TargetOptions | None = None
    hosts: frozenset[str] = frozenset()
    events: Events = field(default_factory=Events)
    tell: Callable[[str], object] = field(default=str, repr=False)
    meter: Meter = field(default_factory=Meter, init=False)
    at_once: AtOnce = field(init=False, repr=False)
    reaching: Reaching | None = field(default=None, init=False, repr=False)
    on_start: list[Hook] = field(default_factory=list, init=False)
    on_drain: list[Hook] = field(default_factory=list, init=False)
    on_stop: list[Hook] = field(default_factory=list, init=False)
    checks: list[Callable[[], bool]] = field(default_factory=list, init=False)
    is_draining: bool = field(default=False, init=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare what requests are handled with."""
        self.at_once = AtOnce(self.context)
        if self.target is not None:
            self.reaching = Reaching(self.target, self.context)
        self._pool = ThreadPoolExecutor(_THREADS, "deidfhir-request")
        if self.tokens is not None:
            tokens = self.tokens
            self.checks.append(lambda: tokens.is_usable)

    @property
    def is_ready(self) -> bool:
        """Whether requests are taken."""
        return not self.is_draining and all(check() for check in self.checks)

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Return what work gives that would hold up other requests: it is done in a thread.

        Args:
            work: A function that knows nothing of the event loop.
            *arguments: What it is given.

        Raises:
            Refused: `gateway-slow`; what is under way ends by itself, what is not is not begun.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.handling):
                return await loop.run_in_executor(self._pool, work, *arguments)
        except TimeoutError:
            raise refused("gateway-slow", **SOON) from None

    async def start(self) -> None:
        """Begin what belongs to the gateway."""
        self.context.prepare()
        for hook in self.on_start:
            await hook()

    async def drain(self) -> None:
        """Take nothing new from now on."""
        self.is_draining = True
        for hook in self.on_drain:
            await hook()

    async def stop(self) -> None:
        """End what belongs to the gateway."""
        for hook in reversed(self.on_stop):
            await hook()
        self._pool.shutdown(wait=False, cancel_futures=True)
