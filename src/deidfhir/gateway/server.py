"""The process of a gateway: uvicorn, silent, and drained when it is asked to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from deidfhir.errors import FatalError, UsageError
from deidfhir.gateway.app import app_of
from deidfhir.gateway.gateway import Gateway
from deidfhir.gateway.limits import Limits
from deidfhir.gateway.protocol import bounded

_LOOK = 0.05
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway listens.

    Args:
        host: Name or address.
        port: 0 for any that is free.
        certificate: Its own certificate, PEM; without one it speaks plain HTTP.
        key: The certificate's key, if it is not in the same file.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    def listen(self) -> socket.socket:
        """Return a socket that listens.

        Raises:
            FatalError: `port-taken`.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            with socket.socket(family, kind, protocol) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(address)
                bound.listen(_BACKLOG)
                return bound.dup()
        except (OSError, UnicodeError) as error:
            raise FatalError("port-taken", host=self.host, port=self.port) from error

    def require_certificate(self) -> None:
        """Require that certificate and key can be used.

        Raises:
            UsageError: `gateway-certificate`.
        """
        if self.certificate is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.certificate, self.key, password=""
            )
        except (OSError, ValueError) as error:  # a broken certificate is an OSError, too
            raise UsageError("gateway-certificate", path=self.certificate) from error

    def url(self, listener: socket.socket) -> str:
        """Return the address that a gateway is asked at.

        Args:
            listener: The socket.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://{host}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """Ends after what is under way; asked again, at once."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drained: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and know the loop that a signal must reach."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # it would quote
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain."""
        del frame
        if self._loop is None or self._gateway.is_draining:
            self.should_exit = self.force_exit = True
            return
        self._gateway.is_draining = True
        self._loop.call_soon_threadsafe(self._drain)
        del sig

    def _drain(self) -> None:
        self._drained = asyncio.ensure_future(self._finish())

    async def _finish(self) -> None:
        await self._gateway.drain()
        try:
            async with asyncio.timeout(self._gateway.limits.draining):
                while self._gateway.meter.under_way:
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            self._gateway.tell("gave up what was still under way")
        self.should_exit = True


def configured(app: ASGIApp, limits: Limits, canonical: str, place: Place) -> uvicorn.Config:
    """Return how uvicorn serves an application.

    Args:
        app: The application.
        limits: What a request may cost.
        canonical: The site's canonical base, for answers.
        place: Where it listens.
    """
    return uvicorn.Config(
        app,
        http=bounded(limits, canonical),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(limits.idle),
        timeout_graceful_shutdown=5,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
    )


def serve(gateway: Gateway, place: Place, listener: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT, then drain.

    Args:
        gateway: What to answer.
        place: Where it listens.
        listener: Its socket.
    """
    _hush()
    config = configured(app_of(gateway), gateway.limits, gateway.context.settings.canonical, place)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: None)  # tokens are read anew by themselves
    _Server(config, gateway).run(sockets=[listener])


def _hush() -> None:
    """Let no library say anything of requests: they would quote them."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False
        logger.setLevel(logging.CRITICAL + 1)
