"""The ratios that must hold in each run of the tests; `make bench` measures more, and longer."""

from __future__ import annotations

import subprocess
import sys

ATTEMPTS = 3
"""A machine may have other things to do for a while: a ratio holds if it holds once."""


def test_reading_the_whole_job_and_a_cold_start_keep_to_their_ratios() -> None:
    """They are measured in a process of its own, whose memory holds nothing but the job."""
    command = [sys.executable, "-m", "tools.bench", "--small", "--rounds", "5"]
    command += ["--attempts", str(ATTEMPTS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr + run.stdout


def test_a_gateway_keeps_to_its_ratio_beside_a_bare_echo() -> None:
    command = [sys.executable, "-m", "tools.bench_gateway", "--small", "--attempts", str(ATTEMPTS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr + run.stdout
