"""What the README says about the service is done with it, and with curl."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateways import serving
from tests.synthetic.samples import write_samples

if TYPE_CHECKING:
    from tests.conftest import Cli

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def commands(kind: str) -> list[list[str]]:
    """Return the commands of a block."""
    match = re.search(rf"<!-- run: {kind} -->\n```console\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return [shlex.split(line.removeprefix("$ ")) for line in match[1].splitlines()]


def test_the_service_answers_as_the_command_line_does(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "samples")
    ((program, name, *options),) = commands("serve")
    assert (program, name, options) == ("deidfhir", "serve", ["--port", "8180"])
    with serving() as gateway:
        answers = [
            subprocess.run(
                [
                    word.replace("http://127.0.0.1:8180", gateway.url)
                    for word in ("curl", "-s", *ask)
                ],
                capture_output=True,
                check=True,
                timeout=60,
            ).stdout
            for _, *ask in commands("ask")
        ]
    bundle, verdict = answers
    assert bundle.decode() == cli("map", "samples/tcia-ct/ct-1-1.dcm").out.rstrip("\n")
    assert json.loads(verdict)["verdict"] == "removed"
