"""What the README says about a real server is done with a real server."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import requests

from tests.conftest import Cli, Server
from tests.integration.archives import Pacs
from tests.synthetic.samples import write_samples

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def commands(kind: str) -> list[list[str]]:
    match = re.search(rf"<!-- run: {kind} -->\n```console\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return [shlex.split(line.removeprefix("$ ")) for line in match[1].splitlines()]


@pytest.mark.usefixtures("namespace")
def test_the_samples_go_into_the_server_and_the_search_shows_them(
    cli: Cli, r4_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "build" / "samples")
    stated = "http://127.0.0.1:8080/fhir"

    install, sync, verify = commands("server")
    installed = cli(*(word.replace(stated, r4_server.url) for word in install[1:]))
    synced = cli(*(word.replace(stated, r4_server.url) for word in sync[1:]))
    verified = cli(*(word.replace(stated, r4_server.url) for word in verify[1:]))

    assert (installed.code, synced.code, verified.code) == (0, 3, 3)
    assert "resources 22 created" in synced.out
    assert "compared  22 ok, 0 missing, 0 drifted" in verified.out
    ((_, url),) = commands("look")
    found = requests.get(url.replace(stated, r4_server.url), timeout=30).json()
    kinds = {entry["resource"]["resourceType"] for entry in found["entry"]}
    assert kinds == {"ImagingStudy", "Provenance"}


@pytest.mark.usefixtures("namespace")
def test_an_archive_is_walked_to_shown_and_synced(cli: Cli, r4_server: Server, pacs: Pacs) -> None:
    for study in (1, 2):
        pacs.store(study, Modality="CT")
    here = {"http://127.0.0.1:8042": pacs.orthanc.url, "http://127.0.0.1:8080/fhir": r4_server.url}
    runs = []
    for line in commands("archive"):
        words = list(line[1:])
        for stated, real in here.items():
            words = [word.replace(stated, real) for word in words]
        runs.append(cli(*words))
    doctor, show, sync = runs
    assert [one.code for one in runs] == [0, 0, 0]
    assert "metadata    ok" in doctor.out
    assert show.out.count("REMOVED") == 2
    assert "2 studies, 2 instances" in sync.out
