"""What requests bring is stated on a real server as a sync would, and never shrinks a study."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.config import load_settings
from deidfhir.errors import DeidFhirError
from deidfhir.mapping.context import MappingContext
from deidfhir.model.study import StudyFold
from deidfhir.pipeline.delivery import Delivery, delivery_of
from deidfhir.pipeline.files import read_paths
from deidfhir.pipeline.intake import Intake, stating
from deidfhir.pipeline.outcomes import Outcome
from deidfhir.pipeline.targets import TargetOptions
from tests.integration.fake import Reply
from tests.integration.support import Archive, Site, counted, search

if TYPE_CHECKING:
    from tests.conftest import Cli
    from tests.integration.fake import FakeServer


@dataclass
class Senders:
    """Those who send objects to one site."""

    site: Site

    @property
    def context(self) -> MappingContext:
        """The site's."""
        fhir: Any = self.site.fhir
        return MappingContext(fhir, load_settings(None))

    def delivery(self, *paths: Path) -> Delivery:
        """Return what a request of some files brings."""
        fold, found = StudyFold(), []
        for number, path in enumerate(paths, start=1):
            (study,) = read_paths([path]).studies
            (one,) = study.instances
            found.append(one._replace(path=f"#{number}", file=""))
            fold.add(found[-1])
        return delivery_of(fold, found, self.context)

    def send(self, *requests: Iterable[Path]) -> list[Outcome]:
        """Send some requests, and return what came of them; they may go together."""
        where = TargetOptions(self.site.url, self.site.journal)
        intake = Intake(lambda _: {}, time.monotonic)
        intake.run = stating(where, self.context, intake.why_stop)
        units = [self.delivery(*paths) for paths in requests]
        for one in units:
            intake.put(one)
        intake.end(20)
        assert intake.work() == 0
        found = [intake.state(one.unit) for one in units]
        return [one for one in found if one is not None]


def codes(outcome: Outcome) -> tuple[str, list[tuple[str, str]]]:
    """Return what came of a request, with the codes and places of its findings."""
    return outcome.state, [(one.code, one.path) for one in outcome.findings]


def listed(site: Site, archive: Archive) -> list[str]:
    """Return the instances that the server lists of the archive's only study, and its markers."""
    (study,) = search(site.url, f"ImagingStudy?identifier=urn:oid:{archive.uid(1)}")
    found = [one["uid"] for series in study["series"] for one in series["instance"]]
    return [*sorted(found), *(["stated"] if "extension" in study else [])]


def test_one_message_an_instance_makes_the_study_that_a_sync_makes(
    site: Site, archive: Archive
) -> None:
    paths = [archive.put(1, number) for number in (1, 2, 3)]
    senders = Senders(site)
    assert [codes(one) for one in senders.send([paths[0]])] == [("stated", [])]
    assert [codes(one) for one in senders.send([paths[1]], [paths[2]])] == [("stated", [])] * 2
    run = site.verify(archive.folder)
    assert (run.code, run.report["missing"], run.report["drifted"]) == (0, 0, 0)
    assert [codes(one) for one in senders.send(*([one] for one in paths))] == [("stated", [])] * 3
    again = site.sync(archive.folder)
    assert again.report["resources"] == counted(unchanged=2)
    (archive.folder / "1-1-3.dcm").unlink()
    site.sync(archive.folder)  # what came by request is listed by nobody, and stays (D19)
    assert len(listed(site, archive)) == 4


def test_what_is_not_removed_is_refused_and_takes_back_what_was_stated(
    r4_site: Site, archive: Archive
) -> None:
    first, second = archive.put(1, 1), archive.put(1, 2)
    senders = Senders(r4_site)
    senders.send([first, second])
    assert listed(r4_site, archive)[-1] == "stated"
    bad = archive.put(1, 2, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    (found,) = senders.send([bad])
    assert codes(found) == ("refused", [("claim-withdrawn", "#1"), ("not-accepted", "#1")])
    assert listed(r4_site, archive) == [archive.uid(1, 1, 1), archive.uid(1, 1, 2)]
    good = archive.put(1, 2)
    for request in ([good], [first]):  # nobody knows now what the other states
        assert [codes(one) for one in senders.send(request)] == [
            ("refused", [("partial-study", "#1")])
        ]
    assert [codes(one) for one in senders.send([first, good])] == [("stated", [])]
    assert listed(r4_site, archive)[-1] == "stated"


def test_a_study_of_which_anything_is_refused_is_never_stated_in_parts(
    r4_site: Site, archive: Archive
) -> None:
    bad = archive.put(1, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    good, other = archive.put(1, 2), archive.put(1, 3)
    senders = Senders(r4_site)
    assert senders.send([bad])[0].state == "refused"
    for _ in range(2):
        for request in ([good], [other]):
            assert codes(senders.send(request)[0])[1] == [("partial-study", "#1")]
    assert list(search(r4_site.url, f"ImagingStudy?identifier=urn:oid:{archive.uid(1)}")) == []
    assert Senders(r4_site).send([archive.put(1, 1), good, other])[0].state == "stated"


def test_what_a_listing_says_now_counts_more_than_what_a_request_once_said(
    r4_site: Site, archive: Archive
) -> None:
    path = archive.put(1, 1)
    senders = Senders(r4_site)
    senders.send([path])
    archive.put(1, 1, DeidentificationMethod="tool 2")
    assert r4_site.sync(archive.folder).code == 0
    assert r4_site.verify(archive.folder).code == 0
    archive.put(1, 1, DeidentificationMethod="tool 3")
    again = [codes(one) for one in senders.send([path])]
    assert again == [("refused", [("duplicate-instance-differs", "#1")])]
    assert r4_site.sync(archive.folder).code == 0
    assert [one.state for one in senders.send([path])] == ["stated"]


def test_requests_that_go_together_are_told_apart(r4_site: Site, archive: Archive) -> None:
    bad = archive.put(1, 1, PatientIdentityRemoved=None, DeidentificationMethod=None)
    copies = [archive.put(2, 1), archive.put(2, 1)]
    odd = archive.put(3, 1, DeidentificationMethod="JOHN^DOE")
    found = Senders(r4_site).send([bad], copies, [archive.put(4, 1), odd])
    assert codes(found[0]) == ("refused", [("not-accepted", "#1")])
    assert found[1].state == found[2].state == "stated"
    assert ("duplicate-instance", "#2") in codes(found[1])[1]
    assert {one.path for one in found[2].findings} == {"#2"}


def test_what_the_target_refuses_has_failed_and_its_being_down_is_nobodys_fault(
    fake: FakeServer, cli: Cli, namespace: str, archive: Archive, tmp_path: Path
) -> None:
    del namespace
    path, site = archive.put(1, 1), Site(cli, "R4", fake.url, tmp_path / "journal")
    fake.transaction = lambda _: Reply(status=422, body={"resourceType": "OperationOutcome"})
    (found,) = Senders(site).send([path])
    assert codes(found) == ("failed", [("rejected", "#1")])
    fake.always(Reply(status=401))
    where = TargetOptions(site.url, site.journal)
    senders = Senders(site)
    with pytest.raises(DeidFhirError):
        stating(where, senders.context, str)((senders.delivery(archive.put(2, 1)),))
