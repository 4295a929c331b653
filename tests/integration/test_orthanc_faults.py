"""A real Orthanc that is killed, comes back, and changes while it is listed."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from deidfhir.archive import opening
from deidfhir.archive.archive import Query, Unsteady
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.archive.search import Search
from tests.integration.archives import FromArchive, Pacs
from tests.integration.support import Archive, held
from tests.orthanc.server import Orthanc

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli
    from tests.integration.support import Site

STUDIES = 12


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Pacs]:
    """Give an Orthanc of this test's own, with studies."""
    with Orthanc(tmp_path / "own") as made:
        pacs = Pacs(made, Archive(tmp_path / "made"))
        for study in range(STUDIES):
            pacs.store(study)
        yield pacs


Hook = Callable[[Callable[[str], bool], int, Callable[[], None]], None]


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Give what lets something happen before a request: the n-th of those that are meant."""
    send = requests.Session.send

    def let(meant: Callable[[str], bool], number: int, happen: Callable[[], None]) -> None:
        seen = 0

        def hooked(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> Any:  # noqa: ANN401
            nonlocal seen
            if meant(request.path_url):
                seen += 1
                if seen == number:
                    happen()
            return send(self, request, **how)

        monkeypatch.setattr(requests.Session, "send", hooked)

    return let


def of_metadata(path: str) -> bool:
    """Whether a request asks for what instances state."""
    return path.endswith("/metadata") and "/series/" in path


def of_studies(path: str) -> bool:
    """Whether a request asks for a page of studies."""
    return "/dicom-web/studies?" in path


@pytest.mark.parametrize("number", [1, 7, STUDIES])
def test_an_archive_that_is_killed_in_the_middle_ends_the_run_and_the_next_one_goes_on(
    r4_site: Site, own: Pacs, before: Hook, number: int
) -> None:
    fed = FromArchive(r4_site, own.orthanc.address)
    before(of_metadata, number, lambda: own.orthanc.stop(signal.SIGKILL))
    cut = fed.sync("--timeout", "2")
    assert cut.code == 5
    assert cut.err.count("\n") == 1
    own.orthanc.start()
    run = fed.sync()
    assert (run.code, run.report["studies"]) == (0, STUDIES)
    stated = fed.stated()
    assert held(r4_site.url, stated).keys() == stated.keys()
    assert sum(one.startswith("ImagingStudy/") for one in stated) == STUDIES
    assert not {"updated", "deleted"} & {k for k, v in run.report["resources"].items() if v}
    last = fed.sync()
    assert (last.code, last.report["resources"]["unchanged"]) == (0, len(stated))


def test_an_archive_that_comes_back_within_the_timeout_does_not_end_the_run(
    r4_site: Site, own: Pacs, before: Hook
) -> None:
    def restart() -> None:
        own.orthanc.stop(signal.SIGKILL)
        own.orthanc.start()

    before(of_metadata, 5, restart)
    run = FromArchive(r4_site, own.orthanc.address).sync()
    assert (run.code, run.report["studies"], run.report["instances"]) == (0, STUDIES, STUDIES)


def test_a_log_whose_studies_were_not_stated_is_read_again(
    r4_site: Site, own: Pacs, before: Hook
) -> None:
    """The place in the log moves on only when all that came before it is done."""
    fed = FromArchive(r4_site, own.orthanc.address)
    fed.sync()
    own.store(2, 2)
    own.store(50)
    before(of_metadata, 1, lambda: own.orthanc.stop(signal.SIGKILL))
    assert fed.sync("--timeout", "1").code == 5
    own.orthanc.start()
    run = fed.sync()
    assert (run.code, run.report["studies"]) == (0, STUDIES + 1)
    made = {kind: count for kind, count in run.report["resources"].items() if count}
    assert made.keys() == {"created", "updated", "unchanged"}
    assert fed.verify().code == 0


def test_another_orthanc_at_the_same_address_is_told_and_all_is_read(
    cli: Cli, own: Pacs, tmp_path: Path
) -> None:
    own.orthanc.clear()
    for study in (1, 2, 3):
        own.store(study, DeidentificationMethod="tool 1")
    given = ("sync", "--from", own.orthanc.address, "--to", tmp_path / "out")
    assert cli(*given).code == 0
    own.orthanc.stop()
    shutil.rmtree(own.orthanc.folder)
    own.orthanc.start()
    for study in (1, 2, 3):
        own.store(study, DeidentificationMethod="tool 2")
    run = cli(*given)
    assert run.code == 0
    assert "changes-lost" in run.out
    stated = (tmp_path / "out" / "Provenance.ndjson").read_text()
    assert (stated.count("tool 1"), stated.count("tool 2") > 0) == (0, True)


@pytest.mark.parametrize("page", [2, 3, 5])
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("moved", [(1, None), (0, 0), (0, -1), (1, 0), (1, -1)])
def test_pages_that_shift_lose_no_study_and_double_none(
    pacs: Pacs, before: Hook, page: int, number: int, moved: tuple[int, int | None]
) -> None:
    come, gone = moved
    for study in range(STUDIES):
        pacs.store(study)
    listed = [one["0020000D"]["Value"][0] for one in pacs.orthanc.ask("/dicom-web/studies")]
    went = [] if gone is None else [listed[gone]]

    def shift() -> None:
        for uid in went:
            pacs.orthanc.delete("Study", uid)
        for study in range(come):
            pacs.store(100 + study)

    before(of_studies, number, shift)
    archive = open_archive(pacs.orthanc.dicomweb, Opening())
    found = [one.uid for one in Search(archive.transport, page).studies(Query())]  # type: ignore[attr-defined]
    assert len(found) == len(set(found))
    assert set(found) >= set(listed) - set(went)


def test_a_list_that_never_holds_still_is_told_and_takes_nothing_away(
    r4_site: Site, pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for study in range(STUDIES):
        pacs.store(study)
    fed = FromArchive(r4_site, pacs.orthanc.dicomweb)
    stated = fed.stated()
    assert fed.sync().code == 0
    monkeypatch.setattr(opening, "Search", lambda transport: Search(transport, 2))
    each = Search.page_of

    def shifting(self: Search, *asked: Any) -> Any:  # noqa: ANN401
        """Give a page, and replace what it ended with by something new."""
        found = each(self, *asked)
        if asked[0] == "/studies" and found:
            numbers = len(pacs.orthanc.ask("/changes?limit=1000")["Changes"])
            pacs.orthanc.delete("Study", found[-1][0])
            pacs.store(1000 + numbers)
        return found

    monkeypatch.setattr(Search, "page_of", shifting)
    with pytest.raises(Unsteady):
        archive = open_archive(fed.address, Opening())
        list(archive.studies(Query()))
    run = fed.sync()
    assert '"listing-unsteady"' in run.out
    assert run.report["vanished"] == 0
    studies = [one for one in held(r4_site.url, stated).values() if "numberOfInstances" in one]
    assert {one["status"] for one in studies} == {"available"}
    assert len(studies) == STUDIES
