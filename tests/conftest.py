"""What every test is given: a clean environment, the command line, and real FHIR servers.

The servers are started as soon as collection shows that a test needs them, and tests that need
them run last: so the JVMs start while the other tests run. Each is one JVM for the whole run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import deidfhir
from deidfhir.cli.main import main
from deidfhir.fhir.versions import FhirName

if TYPE_CHECKING:
    from tests.hapi.server import HapiServer

SOURCES = Path(deidfhir.__file__).resolve().parents[1]
REAL = Path(__file__).resolve().parents[2] / "shared" / "dicom" / "real"


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The one object that --json prints."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The NDJSON that map prints."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Ran]
"""Runs `deidfhir` with the arguments given."""


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a test away from the settings and journals of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("DEIDFHIR_"):
            monkeypatch.delenv(name)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")  # the tests' own servers
    # Programs that a test calls, such as pip, keep their settings and caches.
    for name, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        monkeypatch.setenv(name, os.environ.get(name) or str(Path.home() / folder))
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = main(
                [os.fspath(one) if isinstance(one, Path) else str(one) for one in arguments]
            )
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def process() -> Cli:
    """Run the command line in a process of its own."""

    def run(*arguments: object, **environment: str) -> Ran:
        done = subprocess.run(
            command(*arguments),
            env=process_environment(environment),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def command(*arguments: object) -> list[str | bytes]:
    """Return the command line of a process; a path may be bytes."""
    given = [one if isinstance(one, bytes) else str(one) for one in arguments]
    return [sys.executable, "-m", "deidfhir", *given]


def process_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that finds the same deidfhir as this one."""
    return {**os.environ, "PYTHONPATH": str(SOURCES), **(more or {})}


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """Return the folder of real DICOM objects, which is not part of the repository."""
    if not REAL.is_dir():
        pytest.skip("the real DICOM objects are not there: ../shared/dicom/real")
    return REAL


@dataclass(frozen=True)
class Server:
    """A FHIR server that is ready."""

    fhir: FhirName
    url: str


class _Fleet:
    """The servers of a run: started early, waited for at first use, stopped at the end."""

    def __init__(self) -> None:
        self._started: dict[str, HapiServer] = {}
        self._ready: dict[str, Server] = {}
        self._later: list[str] = []
        self._trouble: Exception | None = None

    def start(self, names: list[str]) -> None:
        """Start the two main servers, and put off the others until they are up."""
        self._later = [name for name in names if name not in ("R4", "R5")]
        self._launch([name for name in names if name in ("R4", "R5")] or self._later)

    def _launch(self, names: list[str]) -> None:
        try:
            for name in names:
                if name not in self._started and f"HAPI_{name}" not in os.environ:
                    self._started[name] = _server(name)
                    self._started[name].start()
        except Exception as error:  # noqa: BLE001 - told by each test that needs the server
            self._trouble = error

    def ready(self, name: str) -> Server:
        """Return a server; a variable such as HAPI_R4 may name one that runs already."""
        if name not in self._ready:
            self._launch([name])
            if self._trouble:
                raise self._trouble
            fhir: FhirName = "R5" if name == "R5" else "R4"
            if name in self._started:
                self._started[name].wait_ready()
                self._started[name].warm_up()
                self._ready[name] = Server(fhir, self._started[name].base_url)
            else:
                self._ready[name] = Server(fhir, os.environ[f"HAPI_{name}"])
        if all(one in self._ready for one in self._started):
            self._launch(self._later)
        return self._ready[name]

    def stop(self) -> None:
        """Stop what was started."""
        for server in self._started.values():
            server.stop()


def _server(name: str) -> HapiServer:
    from tests.hapi.server import HapiOptions, HapiServer  # noqa: PLC0415 - POSIX only

    if name == "assigning":
        return HapiServer("R4", options=HapiOptions(client_id_strategy="NOT_ALLOWED"))
    if name == "refusing":
        options = HapiOptions(deletes=False)
        return HapiServer("R4", "postgres" if HAS_POSTGRES else "h2", options=options)
    return HapiServer("R5" if name == "R5" else "R4")


HAS_POSTGRES = sys.platform == "linux"
_FLEET = _Fleet()
_FIXTURES = {
    "r4_server": "R4",
    "r5_server": "R5",
    "refusing_server": "refusing",
    "assigning_server": "assigning",
}
_LATE = ("refusing", "assigning")


def _servers_of(item: pytest.Item) -> set[str]:
    names = getattr(item, "fixturenames", ())
    found = {server for fixture, server in _FIXTURES.items() if fixture in names}
    if "server" in names:
        found.add(item.callspec.params["server"])  # type: ignore[attr-defined]
    return found


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that need a server run last, then those of late servers, then the campaign."""

    def turn(item: pytest.Item) -> tuple[bool, bool, list[bool]]:
        found = _servers_of(item)
        campaign = "campaign_ground" in getattr(item, "fixturenames", ())
        return campaign, bool(found), [name in found for name in _LATE]

    items.sort(key=turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the collected tests need."""
    if not session.config.option.collectonly:
        _FLEET.start(sorted({name for item in session.items for name in _servers_of(item)}))


def pytest_unconfigure() -> None:
    """Stop the servers, whatever has happened."""
    _FLEET.stop()


@pytest.fixture(params=["R4", "R5"])
def server(request: pytest.FixtureRequest) -> Server:
    """Give a real HAPI FHIR JPA server, R4 and R5 in turn, shared by all tests."""
    return _FLEET.ready(request.param)


@pytest.fixture
def r4_server() -> Server:
    """Give the R4 server alone."""
    return _FLEET.ready("R4")


@pytest.fixture
def r5_server() -> Server:
    """Give the R5 server alone."""
    return _FLEET.ready("R5")


@pytest.fixture
def refusing_server() -> Server:
    """Give a server that refuses deletion: R4, on PostgreSQL where that can be had."""
    return _FLEET.ready("refusing")


@pytest.fixture
def assigning_server() -> Server:
    """Give a server that takes no ids of its clients: R4."""
    return _FLEET.ready("assigning")


@pytest.fixture(scope="session")
def medplum_server() -> Iterator[Server]:
    """Give another implementation of FHIR: Medplum's router in Node, R4, in memory."""
    from tests.medplum.server import MedplumServer  # noqa: PLC0415 - only where it is needed

    with MedplumServer() as server:
        yield Server("R4", server.base_url)


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the test an id namespace of its own: so tests share servers."""
    found = f"https://tests.example/{uuid4()}"
    monkeypatch.setenv("DEIDFHIR_NAMESPACE", found)
    # Where tests share samples, each finds the others' ImagingStudies of the same UIDs.
    monkeypatch.setenv("DEIDFHIR_EXISTING", "own")
    return found
