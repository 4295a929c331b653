"""A value of its own in every attribute: none of them is told by /sync and /decide, or kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import requests

from tests.integration.gateways import serving
from tests.privacy.allowed import STATES, Case
from tests.privacy.holding import full, hold_at_most
from tests.synthetic.canaries import Canary, write_planted
from tests.synthetic.objects import ROOT, put
from tests.unit.gateway.asking import DICOM

if TYPE_CHECKING:
    from tests.integration.support import Site

# The standard's newest attributes are unknown to pydicom, which says so while it writes them.
pytestmark = pytest.mark.filterwarnings("ignore:VR lookup failed")


def written(folder: Path) -> list[tuple[Path, str, tuple[Canary, ...]]]:
    """Write an object for each state; return its file, the UID of its study and its canaries."""
    found = []
    for serial, state in enumerate(STATES):
        made, canaries = full(Case(state).markers(), serial)
        uid = f"{ROOT}.{uuid4().int >> 70}"  # a study that no other test has
        path = write_planted(put(made, StudyInstanceUID=uid), folder / f"{serial}.dcm")
        found.append((path, uid, canaries))
    return found


def test_no_value_is_told_or_kept(r4_site: Site, tmp_path: Path) -> None:
    objects = written(tmp_path / "planted")
    log = tmp_path / "log"
    where = ("--to", r4_site.url, "--journal", r4_site.journal, "--fhir", "R4", "--log", log)
    said: list[str] = []
    statuses = set()
    with serving(*where) as gateway:
        for path, uid, _ in objects:
            sent = requests.post(
                f"{gateway.url}/sync?wait=30", data=path.read_bytes(), headers=DICOM, timeout=60
            )
            asked = requests.get(f"{gateway.url}/decide", params={"study": uid}, timeout=60)
            place = sent.headers.get("Location") or f"/sync/{sent.json()['unit']}"
            unit = requests.get(f"{gateway.url}{place}", timeout=60)
            spoilt = path.read_bytes()[: path.stat().st_size // 2]
            broken = requests.post(f"{gateway.url}/sync", data=spoilt, headers=DICOM, timeout=60)
            statuses.add((sent.status_code, asked.status_code, broken.status_code))
            for one in (sent, asked, unit, broken):
                said += [one.text, *map(str, one.headers.items())]
        said.append(requests.get(f"{gateway.url}/metrics", timeout=60).text)
        assert gateway.end() == 0
    said += [*gateway.said, log.read_text()]
    kept = [one.read_bytes() for one in r4_site.journal.parent.glob("journal*")]
    assert statuses == {(200, 200, 422), (422, 403, 422)}
    assert kept
    for _, _, canaries in objects:
        hold_at_most(canaries, "\n".join(said), ())
        for content in kept:
            hold_at_most(canaries, content, ())
