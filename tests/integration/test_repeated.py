"""The same run again: nothing is sent, nothing changes, whatever was lost in between."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.config import load_settings
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.files import Files
from deidfhir.pipeline.options import RunOptions
from deidfhir.pipeline.runs import run_sync
from deidfhir.pipeline.targets import TargetOptions
from deidfhir.sync.profile import profiles
from deidfhir.web.timing import Clock
from tests.conftest import command, process_environment
from tests.integration.support import Archive, Site, counted, held, only, post, versions
from tests.synthetic.samples import write_samples

if TYPE_CHECKING:
    from tests.integration.relay import Relay

LIMITS = profiles()["hapi"].limits
STOPPING = b"deidfhir: stopping after what is under way; ask again to stop at once\n"
LONG_AGO = 946_684_800.0
WITHOUT_BROKEN = ("tcia-ct", "pixelmed-with-equipment", "two-equipment-items", "dicom-json")


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Write the sample studies: 9 removed, 3 to be refused, 2 broken files."""
    write_samples(tmp_path / "samples")
    return tmp_path / "samples"


def sync_in_2000(site: Site, *paths: Path) -> None:
    """Sync as if it were the year 2000, so that a later `recorded` cannot pass for the first."""
    context = MappingContext("R5" if site.fhir == "R5" else "R4", load_settings(None))
    where = TargetOptions(site.url, site.journal, clock=Clock(now=lambda: LONG_AGO))
    assert run_sync(RunOptions(Files(paths), context), where).report.error is None


def recorded(site: Site, *paths: Path) -> set[str | None]:
    """Return every instant of recording that the server has of some paths."""
    found = only("Provenance", held(site.url, site.stated(*paths)))
    return {one.get("recorded") for one in found.values()}


def test_a_second_run_sends_no_request_at_all(site: Site, samples: Path, relay: Relay) -> None:
    first = site.to(relay.url).sync(samples)
    assert first.code == 3
    assert first.report["resources"] == counted(created=22)
    sent = len(relay.log)
    second = site.to(relay.url).sync(samples)
    assert second.code == 3
    assert second.report["requests"] == 0
    assert len(relay.log) == sent
    assert second.report["resources"] == counted(unchanged=22)
    assert set(versions(site.url, site.stated(samples)).values()) == {"1"}


def test_a_lost_journal_costs_no_new_version_and_no_instant(site: Site, samples: Path) -> None:
    paths = [samples / name for name in WITHOUT_BROKEN]
    sync_in_2000(site, *paths)
    site.journal.unlink()
    again = site.sync(*paths)
    assert again.code == 0
    stated = site.stated(*paths)
    assert again.report["resources"] == counted(unchanged=len(stated))
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    assert recorded(site, *paths) == {"2000-01-01T00:00:00+00:00"}


def test_a_changed_claim_keeps_the_instant_of_its_first_statement(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1)
    sync_in_2000(r4_site, archive.folder)
    r4_site.journal.unlink()
    archive.put(1, DeidentificationMethod="tool 2.0")
    assert r4_site.sync(archive.folder).report["resources"] == counted(updated=2)
    assert recorded(r4_site, archive.folder) == {"2000-01-01T00:00:00+00:00"}


def test_what_map_put_there_without_an_instant_stays_without(site: Site, archive: Archive) -> None:
    archive.put(1)
    for bundle in site.cli("map", archive.folder, "--fhir", site.fhir).lines:
        post(site.url, bundle)
    first = site.sync(archive.folder)
    assert first.code == 0
    assert first.report["resources"] == counted(unchanged=2)
    stated = site.stated(archive.folder)
    assert versions(site.url, stated) == dict.fromkeys(stated, "1")
    archive.put(1, DeidentificationMethod="tool 2.0")
    assert site.sync(archive.folder).report["resources"] == counted(updated=2)
    assert recorded(site, archive.folder) == {None}


def test_a_statement_that_ended_and_is_made_again_starts_anew(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1)
    sync_in_2000(r4_site, archive.folder)
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    assert r4_site.sync(archive.folder).code == 3
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    (instant,) = recorded(r4_site, archive.folder)
    assert instant is not None
    assert instant > "2020"


@pytest.mark.parametrize("answered", [0, 2], ids=["before the first answer", "after two"])
def test_a_run_that_is_killed_is_completed_by_the_next(
    r4_site: Site, archive: Archive, relay: Relay, answered: int
) -> None:
    for study in range(1, 3 * LIMITS.studies + 2):
        archive.put(study)
    site = r4_site.to(relay.url)
    relay.withhold_from = answered + 1
    where = ("--to", relay.url, "--journal", site.journal, "--connections", "1")
    with subprocess.Popen(
        command("sync", archive.folder, *where), env=process_environment()
    ) as running:
        assert relay.withheld.wait(60)
        running.kill()
    stated = site.stated(archive.folder)
    sent = [len(one.entries) for one in relay.log if one.method == "POST"]
    assert len(sent) == answered + 1
    assert len(versions(r4_site.url, stated)) == sum(sent) < len(stated)
    relay.withhold_from = None
    again = site.sync(archive.folder)
    assert again.code == 0
    assert again.report["resources"] == counted(
        created=len(stated) - sum(sent), unchanged=sum(sent)
    )
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    assert site.sync(archive.folder).report["requests"] == 0


def test_a_run_over_several_connections_that_is_killed_is_completed_by_the_next(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    for study in range(1, 3 * LIMITS.studies + 2):
        archive.put(study)
    site = r4_site.to(relay.url)
    relay.withhold_from = 2
    where = ("--to", relay.url, "--journal", site.journal, "--connections", "4")
    with subprocess.Popen(
        command("sync", archive.folder, *where), env=process_environment()
    ) as running:
        assert relay.withheld.wait(60)
        running.kill()
    stated = site.stated(archive.folder)
    relay.withhold_from = None
    assert site.sync(archive.folder).code == 0
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")
    assert site.sync(archive.folder).report["requests"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_hears_the_answer_under_way_and_is_completed_by_the_next(
    r4_site: Site, archive: Archive, relay: Relay, number: signal.Signals
) -> None:
    for study in range(1, 8 * LIMITS.studies):
        archive.put(study)
    where = ("--to", relay.url, "--journal", r4_site.journal, "--json")
    with subprocess.Popen(
        command("sync", archive.folder, *where),
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as running:
        deadline = time.monotonic() + 60
        while not relay.writes and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    report = json.loads(out)
    assert running.returncode == 5
    assert err == STOPPING + f"deidfhir: {report['error']}\n".encode()
    created = report["resources"]["created"]
    stated = r4_site.stated(archive.folder)
    assert 0 < created < len(stated)
    assert len(versions(r4_site.url, stated)) == created
    again = r4_site.to(relay.url).sync(archive.folder)
    assert again.report["resources"] == counted(created=len(stated) - created, unchanged=created)
    assert versions(r4_site.url, stated) == dict.fromkeys(stated, "1")


def test_a_run_that_is_interrupted_twice_holds_its_journal_and_leaves_no_value_behind(
    r4_site: Site, archive: Archive, relay: Relay
) -> None:
    archive.put(1, DeidentificationMethod="PLANTED")
    relay.withhold_from = 1
    where = ("--to", relay.url, "--journal", r4_site.journal)
    with subprocess.Popen(
        command("sync", archive.folder, *where),
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever starts the tests in the background has interrupts ignored, and hands that on.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as running:
        assert relay.withheld.wait(60)
        meanwhile = r4_site.cli("sync", archive.folder, *where)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        first = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert meanwhile.code == 5
    assert re.fullmatch(
        rf"deidfhir: process {running.pid} on {re.escape(socket.gethostname())} since \S+ is "
        r"syncing to this target already: run the same command again when it is done\n",
        meanwhile.err,
    )
    assert first == STOPPING
    assert (running.returncode, out) == (1, b"")
    assert err == b"deidfhir: interrupted; the same command goes on where it stopped\n"
    assert b"PLANTED" not in b"".join(
        one.read_bytes() for one in r4_site.journal.parent.glob("journal*")
    )


def test_an_archive_that_was_moved_changes_nothing_on_the_server(
    r4_site: Site, archive: Archive, tmp_path: Path
) -> None:
    archive.put(1)
    assert r4_site.sync(archive.folder).code == 0
    archive.folder.rename(tmp_path / "moved")
    run = r4_site.sync(tmp_path / "moved")
    assert (run.code, run.report["resources"]) == (0, counted(unchanged=2))
    assert set(versions(r4_site.url, r4_site.stated(tmp_path / "moved")).values()) == {"1"}
    assert r4_site.sync(tmp_path / "moved").report["requests"] == 0


def test_map_and_sync_make_the_same_ids(site: Site, samples: Path) -> None:
    assert site.sync(samples, "--accept", "all").code == 3
    bundles = site.cli("map", samples, "--accept", "all", "--fhir", site.fhir).lines
    stated = {entry["request"]["url"] for bundle in bundles for entry in bundle["entry"]}
    assert len(stated) == 27
    assert set(held(site.url, stated)) == stated


def test_the_report_of_a_second_run_is_the_same_but_for_what_it_sent(
    r4_site: Site, archive: Archive
) -> None:
    archive.put(1)
    first, second = (json.loads(r4_site.sync(archive.folder).out) for _ in range(2))
    for told in (first, second):
        for name in ("requests", "traffic", "resources", "server", "duration"):
            del told[name]
    assert first == second
