"""The built wheel works alone, in an empty environment without a checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.synthetic.samples import write_samples

REPO = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_maps_a_file_in_an_empty_environment(tmp_path: Path) -> None:
    room = tmp_path / "a room"
    room.mkdir()
    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    run(sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", room, REPO, cwd=room)
    (wheel,) = room.glob("deidfhir-*.whl")
    run(sys.executable, "-m", "venv", room / "venv", cwd=room)
    python = room / "venv" / "bin" / "python"
    run(python, *pip, "install", wheel, cwd=room)
    write_samples(room / "samples")

    printed = run(python, "-m", "deidfhir", "map", "samples/tcia-ct", cwd=room)

    (bundle,) = [json.loads(line) for line in printed.splitlines()]
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["ImagingStudy", "Provenance"]
    home = run(python, "-c", "import deidfhir; print(deidfhir.__file__)", cwd=room)
    assert Path(home.strip()).is_relative_to(room)
    assert run(room / "venv" / "bin" / "deidfhir", "--version", cwd=room).startswith("deidfhir 0.")
