"""--dry-run reads only, and foretells the counts and the exit code of the same run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.support import Archive, Site, counted, held, versions
from tests.synthetic.objects import equipment

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.relay import Relay

CLEANER = equipment(Manufacturer="PixelMed", ManufacturerModelName="DicomCleaner")
FILTER = equipment(Manufacturer="com.blezek.nifi-dicom", SoftwareVersions="1.0")
Change = Callable[[Archive, Site], None]


def nothing(archive: Archive, site: Site) -> None:
    """Leave the archive as it was first sent."""
    del archive, site


def new_study(archive: Archive, site: Site) -> None:
    """Bring in a study that the server has not seen."""
    archive.put(2, ContributingEquipmentSequence=[CLEANER])
    del site


def changed(archive: Archive, site: Site) -> None:
    """Change a method."""
    archive.put(1, DeidentificationMethod="tool 2", ContributingEquipmentSequence=[CLEANER, FILTER])
    del site


def step_less(archive: Archive, site: Site) -> None:
    """Take a step away."""
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    del site


def refused(archive: Archive, site: Site) -> None:
    """Let a verdict be no longer accepted."""
    archive.put(1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    del site


def new_but_refused(archive: Archive, site: Site) -> None:
    """Bring in a study that is refused."""
    archive.put(2, PatientIdentityRemoved=None)
    del site


def skipped(archive: Archive, site: Site) -> None:
    """Bring in a file that is broken."""
    (archive.folder / "empty.dcm").write_bytes(b"")
    del site


def partial(archive: Archive, site: Site) -> None:
    """Lose a file, and with the journal whose it was."""
    (archive.folder / "1-1-2.dcm").unlink()
    site.journal.unlink()


def journal_lost(archive: Archive, site: Site) -> None:
    """Lose the journal."""
    site.journal.unlink()
    del archive


FORETOLD = [
    (nothing, 0, counted(unchanged=6)),
    (new_study, 0, counted(created=2, unchanged=6)),
    (changed, 0, counted(created=6, updated=1, unchanged=2, deleted=3)),
    (step_less, 0, counted(created=4, updated=1, unchanged=2, deleted=3)),
    (refused, 3, counted(updated=1, deleted=3)),
    (new_but_refused, 3, counted(unchanged=6)),
    (skipped, 3, counted(unchanged=6)),
    (partial, 0, counted(unchanged=6)),
    (journal_lost, 0, counted(unchanged=6)),
]


@pytest.mark.parametrize("foretelling", FORETOLD, ids=[case[0].__name__ for case in FORETOLD])
def test_a_dry_run_foretells_what_the_same_run_does(
    r4_site: Site,
    archive: Archive,
    relay: Relay,
    foretelling: tuple[Change, int, dict[str, int]],
) -> None:
    change, code, resources = foretelling
    for number in (1, 2):
        archive.put(1, number, ContributingEquipmentSequence=[CLEANER, FILTER])
    site = r4_site.to(relay.url)
    assert site.sync(archive.folder).code == 0
    change(archive, site)
    journal = bytes_of(site.journal)
    before, writes = versions(site.url, site.stated(archive.folder)), len(relay.writes)
    foretold = site.sync(archive.folder, "--dry-run")
    assert (foretold.code, foretold.report["resources"]) == (code, resources)
    assert len(relay.writes) == writes
    assert versions(site.url, site.stated(archive.folder)) == before
    assert bytes_of(site.journal) == journal
    done = site.sync(archive.folder)
    told = ("studies", "instances", "refused", "skipped", "resources", "withdrawn", "exit_code")
    assert {key: foretold.report[key] for key in told} == {key: done.report[key] for key in told}
    assert foretold.code == done.code
    assert [one["finding"]["code"] for one in foretold.report["troubles"]] == [
        one["finding"]["code"] for one in done.report["troubles"]
    ]
    assert (foretold.report["dry_run"], done.report["dry_run"]) == (True, False)


def test_a_dry_run_of_the_first_run_creates_nothing(
    site: Site, archive: Archive, relay: Relay
) -> None:
    archive.put(1, ContributingEquipmentSequence=[CLEANER])
    archive.put(2, ContributingEquipmentSequence=[CLEANER])
    run = site.to(relay.url).sync(archive.folder, "--dry-run")
    assert run.code == 0
    assert run.report["resources"] == counted(created=5)
    assert relay.writes == []
    assert held(site.url, site.stated(archive.folder)) == {}
    assert not site.journal.exists()


def test_a_dry_run_tells_people_what_would_be(r4_site: Site, archive: Archive) -> None:
    archive.put(1)
    where = ("--to", r4_site.url, "--journal", r4_site.journal)
    run = r4_site.cli("sync", archive.folder, "--dry-run", *where)
    assert "would be  2 created" in run.out.splitlines()


def test_a_dry_run_against_a_server_that_is_down_ends_with_5(
    cli: Cli, archive: Archive, free_port: int
) -> None:
    archive.put(1)
    url = f"http://127.0.0.1:{free_port}/fhir"
    run = cli("sync", archive.folder, "--to", url, "--dry-run", "--timeout", "1", "--json")
    assert run.code == 5


def bytes_of(path: Path) -> bytes | None:
    """Return a file's content, or None."""
    return path.read_bytes() if path.exists() else None
