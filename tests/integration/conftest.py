"""Sites on the real servers, archives, and the loopback servers that record or fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import archives
from tests.integration.fake import FakeServer
from tests.integration.relay import Relay
from tests.integration.support import Archive, Site
from tests.orthanc.server import Orthanc

if TYPE_CHECKING:
    from tests.conftest import Cli, Server


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Give an archive whose studies are this test's alone."""
    return Archive(tmp_path / "archive")


@pytest.fixture
def site(server: Server, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site on R4 and on R5."""
    del namespace
    return Site(cli, server.fhir, server.url, tmp_path / "journal")


@pytest.fixture
def r4_site(r4_server: Server, cli: Cli, namespace: str, tmp_path: Path) -> Site:
    """Give a site on R4 alone."""
    del namespace
    return Site(cli, r4_server.fhir, r4_server.url, tmp_path / "journal")


@pytest.fixture
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    """Give a relay in front of the server that the test uses."""
    name = "site" if "site" in request.fixturenames else "r4_site"
    with Relay(request.getfixturevalue(name).url) as made:
        yield made


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """Give a server that answers as a small FHIR server does, until the test tells it not to."""
    with FakeServer() as made:
        yield made


@pytest.fixture
def free_port() -> int:
    """Give a TCP port of loopback on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Give the Orthanc of the run."""
    with Orthanc(tmp_path_factory.mktemp("orthanc")) as made:
        yield made


@pytest.fixture
def pacs(orthanc: Orthanc, tmp_path: Path) -> Iterator[archives.Pacs]:
    """Give that Orthanc, empty."""
    yield from archives.pacs(orthanc, tmp_path / "made")
