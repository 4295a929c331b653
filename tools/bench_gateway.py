"""How many requests a gateway answers, beside a bare echo of the same bodies by the same server.

python -m tools.bench_gateway [--write]

Both are one process. The rounds are interleaved: what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.synthetic.objects import element, encode
from tools.bench_corpus import archived

REPO = Path(__file__).resolve().parent.parent
PAGE = REPO / "docs" / "gateway.md"
_BETWEEN = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)
_CONNECTIONS = 8
_SERIES = 4


@dataclass(frozen=True, slots=True)
class Load:
    """Bodies of one kind.

    Args:
        name: As the table has it.
        private: Elements more than those of a small header.
        blob: Bytes of private data behind the markers.
        pixels: Bytes of pixel data.
        least: The least that the ratio may be; None where it is told only.
        instances: Objects of each of four series.
        is_scattered: Whether each object is of another study.
    """

    name: str
    private: int = 0
    blob: int = 0
    pixels: int = 0
    least: float | None = 0.12
    instances: int = 50
    is_scattered: bool = False

    def bodies(self) -> Iterator[bytes]:
        """Yield objects as archives hold them, series by series."""
        for series in range(_SERIES):
            for number in range(self.instances):
                study = 1 + series * self.instances + number if self.is_scattered else 1
                made = archived(study, series + 1, number + 1, self.pixels)
                yield encode(self._padded(made, number), ExplicitVRLittleEndian)

    def _padded(self, made: Dataset, number: int) -> Dataset:
        for one in range(self.private):
            group = 0x0011 + 2 * (one // 128)
            made.add(element(group << 16 | 0x10, "LO", "MAKER_PRIVATE_02"))
            value = f"{one}.{number if one % 16 == 15 else 0}".ljust(12)
            made.add(element(group << 16 | 0x1000 + one % 128, "DS", value))
        if self.blob:
            made.add(element(0x00290010, "LO", "MAKER_PRIVATE_03"))
            made.add(element(0x00291010, "OB", bytes(range(256)) * (self.blob // 256)))
        return made


LOADS = (
    Load("headers of 3 KB"),
    Load("headers of 12 KB", private=630),
    Load("headers of 40 KB", private=630, blob=28_000),
    Load("objects of 500 KB", pixels=500_000, least=0.4, instances=10),
    Load("headers of 3 KB, of 1,200 studies", least=None, instances=300, is_scattered=True),
)


_SMALL = tuple(replace(one, instances=5) for one in (LOADS[0], LOADS[3]))


@dataclass(frozen=True, slots=True)
class Measured:
    """What wrk says of one round.

    Args:
        rate: Requests a second.
        slowest: Milliseconds within which 99 % were answered.
    """

    rate: float
    slowest: float


def measured(port: int, files: Iterable[Path], seconds: int) -> Measured:
    """Return what wrk says of some seconds.

    Args:
        port: Where to ask.
        files: The bodies.
        seconds: How long.
    """
    script = str(REPO / "tools" / "bench_gateway.lua")
    how = ("-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script)
    paths = [str(one) for one in files]
    command = ["wrk", *how, f"http://127.0.0.1:{port}", "--", "/map", *paths]
    told = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(told)
    rate, slowest = re.search(r"Requests/sec:\s+([\d.]+)", told), re.search(r"99%\s+(\S+)", told)
    if rate is None or slowest is None:
        raise SystemExit(told)
    return Measured(float(rate[1]), _milliseconds(slowest[1]))


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    if match is None:
        raise SystemExit(text)
    return float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


@contextmanager
def running(*command: str) -> Iterator[int]:
    """Give the port of a server in a process of its own.

    Args:
        *command: What starts it, but for the port.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", *command, "--port", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("a server did not start")


def table(loads: Iterable[Load], rounds: int, seconds: int) -> tuple[list[str], bool]:
    """Return the lines of the table, and whether every ratio is what it must be.

    Args:
        loads: What is sent.
        rounds: How often each is measured.
        seconds: How long each time.
    """
    lines = [
        "| bodies | bytes | requests/s | p99, ms | echo, requests/s | ratio | at least |",
        "|---|---|---|---|---|---|---|",
    ]
    fine = True
    with (
        tempfile.TemporaryDirectory() as folder,
        running("deidfhir", "serve") as ours,
        running("tools.bench_echo") as echo,
    ):
        for load in loads:
            line, is_met = _row(load, _written(load, Path(folder)), (ours, echo), rounds, seconds)
            lines.append(line)
            fine = fine and is_met
    return lines, fine


def _row(
    load: Load, files: list[Path], ports: tuple[int, int], rounds: int, seconds: int
) -> tuple[str, bool]:
    """Return the line of one load, and whether its ratio is what it must be."""
    ours, echo = ports
    measured(ours, files, 1)  # so that what is learnt once is known
    pairs = [
        (measured(ours, files, seconds), measured(echo, files, seconds)) for _ in range(rounds)
    ]
    ratio = statistics.median(mine.rate / bare.rate for mine, bare in pairs)
    rate = statistics.median(mine.rate for mine, _ in pairs)
    slowest = statistics.median(mine.slowest for mine, _ in pairs)
    bare_rate = statistics.median(bare.rate for _, bare in pairs)
    size = statistics.median(one.stat().st_size for one in files)
    least = "" if load.least is None else f"{load.least}"
    line = (
        f"| {load.name} | {size:,.0f} | {rate:,.0f} | {slowest:.1f} | {bare_rate:,.0f} "
        f"| {ratio:.2f} | {least} |"
    )
    return line, load.least is None or ratio >= load.least


def _written(load: Load, folder: Path) -> list[Path]:
    paths = []
    for number, body in enumerate(load.bodies()):
        paths.append(folder / f"{load.pixels}-{load.private}-{load.blob}-{number:03}.dcm")
        paths[-1].write_bytes(body)
    return paths


def main() -> int:
    """Measure, print, and with --write put the table into the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="into docs/gateway.md")
    options.add_argument("--small", action="store_true", help="two kinds of bodies, briefly")
    options.add_argument("--attempts", type=int, default=1, help="until all ratios are met")
    given = options.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    how = (_SMALL, 1, 1) if given.small else (LOADS, 5, 3)
    for _ in range(given.attempts):
        lines, fine = table(*how)
        if fine:
            break
    text = "".join(f"{line}\n" for line in lines)
    sys.stdout.write(text)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_BETWEEN.sub(lambda _: text, page), encoding="utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
