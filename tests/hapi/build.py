"""Compiles the server and collects its jars with Maven, only when something changed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE / "target"
MAVEN_LOG = TARGET / "maven.log"


class HapiError(RuntimeError):
    """The server could not be built, started or reached."""


def build() -> str:
    """Compile and collect what is not there yet, and return the class path.

    Jars and classes lie in directories named by a hash of what they were made from, and a new
    version never touches an old one: a server that runs meanwhile goes on loading its classes.
    The first call downloads about 300 MB. Processes that call at the same time wait for one
    another, and all but the first find the work done.

    Returns:
        The class path, relative to the directory of this module: then no character of the
        project's own path can break it.

    Raises:
        HapiError: Maven is missing or failed; the message names its log.
    """
    pom = HERE / "pom.xml"
    sources = sorted(path for path in (HERE / "src").rglob("*") if path.is_file())
    jars = TARGET / f"lib-{_fingerprint([pom])}"
    classes = TARGET / f"classes-{_fingerprint([pom, *sources])}"
    TARGET.mkdir(exist_ok=True)
    with _lock(TARGET / "build.lock"):
        if not jars.exists():
            shutil.rmtree(TARGET / "lib", ignore_errors=True)
            _maven("dependency:copy-dependencies")
            (TARGET / "lib").rename(jars)
        if not classes.exists():
            shutil.rmtree(TARGET / "classes", ignore_errors=True)
            _maven("compile")
            (TARGET / "classes").rename(classes)
    return os.pathsep.join([f"target/{classes.name}", f"target/{jars.name}/*"])


def _maven(goal: str) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise HapiError("mvn is not on the PATH: install Maven 3.8 or newer and a JDK 17 or newer")
    with MAVEN_LOG.open("wb") as log:
        done = subprocess.run(
            [program, "-q", "-B", goal],
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise HapiError(
            f"Maven failed with exit code {done.returncode}: read {MAVEN_LOG}, mend the cause "
            "(often no network, or a JDK older than 17) and start again"
        )


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock that the kernel frees when the holder dies."""
    with path.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
