"""The one server of a campaign: real HAPI on PostgreSQL, which may be killed and comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from tests.hapi.server import HapiServer, PostgresCluster


class Ground(Protocol):
    """What an episode stands on."""

    @property
    def url(self) -> str:
        """The FHIR base URL."""

    def kill(self) -> None:
        """End the server as a crash does."""

    def restart(self) -> None:
        """Start the server again, at the same address and with what it had made durable."""


@dataclass
class HapiGround:
    """HAPI R4 on a PostgreSQL of its own."""

    _cluster: PostgresCluster = field(default_factory=PostgresCluster)
    _server: HapiServer | None = None

    @property
    def url(self) -> str:
        """The FHIR base URL."""
        return self._running.base_url

    def kill(self) -> None:
        """End the server as a crash does; the database goes on."""
        self._running.kill()

    def restart(self) -> None:
        """Start the server again and wait until it answers."""
        self._running.kill()
        self._running.start()
        self._running.wait_ready()

    @property
    def _running(self) -> HapiServer:
        assert self._server is not None
        return self._server

    def __enter__(self) -> Self:
        """Start both."""
        try:
            self._cluster.start()
            self._server = HapiServer("R4", jdbc_url=self._cluster.jdbc_url())
            self._server.start()
            self._server.wait_ready()
            self._server.warm_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop both."""
        self.stop()

    def stop(self) -> None:
        """Stop both."""
        if self._server is not None:
            self._server.stop()
        self._cluster.stop()
