"""What an archive lists and does not give is told of, run after run, and nothing is withdrawn."""

from __future__ import annotations

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from deidfhir.archive.archive import Query, Unsteady
from deidfhir.archive.opening import Opening, open_archive
from tests.conftest import Cli, Ran
from tests.integration.fake import Reply
from tests.integration.listener import Sent

from .test_dicomweb_faults import (
    INSTANCES,
    LIST,
    METADATA,
    SERIES,
    SERIES_LIST,
    STUDY,
    Web,
    address,
    listed,
    objects,
    web,
)

__all__ = ["web"]


class Fed:
    """A folder that is fed from an archive, sync by sync."""

    def __init__(self, cli: Cli, web: Web, folder: Path) -> None:
        self._cli, self._web, self._folder = cli, web, folder

    def sync(self, *options: str) -> Ran:
        """Sync once."""
        given = ("--from", address(self._web), "--to", self._folder / "out", "--timeout", "2")
        return self._cli("sync", *given, "--json", *options)

    @property
    def held(self) -> list[tuple[str, int]]:
        """Status and number of instances of each study that the folder holds."""
        text = (self._folder / "out" / "ImagingStudy.ndjson").read_text()
        studies = map(json.loads, text.splitlines())
        return [(one["status"], one["numberOfInstances"]) for one in studies]


@pytest.fixture
def fed(cli: Cli, web: Web, tmp_path: Path) -> Fed:
    """Give a folder that was fed from the archive once."""
    made = Fed(cli, web, tmp_path)
    assert made.sync().code == 0
    return made


@pytest.mark.parametrize("reply", [[], Reply(404), Reply(204)])
@pytest.mark.parametrize("path", [SERIES_LIST, METADATA])
def test_a_study_that_is_listed_and_gives_nothing_has_not_vanished(
    fed: Fed, web: Web, path: str, reply: object
) -> None:
    web.says(path, reply)
    for _ in range(3):
        run = fed.sync("--confirm-vanished", "1")
        assert run.code == 3
        assert "instance-unavailable" in run.out
        assert fed.held == [("available", 2)]


def test_a_study_that_is_listed_no_more_and_gives_nothing_has_vanished(fed: Fed, web: Web) -> None:
    web.says(SERIES_LIST, Reply(404))
    web.says(LIST, [listed("0020000D", STUDY, 2)], [])
    fed.sync("--confirm-vanished", "1")
    assert fed.held == [("unknown", 2)]


@pytest.mark.parametrize("fails", [[], [2], [1], [1, 2]])
def test_what_is_missing_for_long_explains_nothing_that_is_missing_newly(
    cli: Cli, web: Web, tmp_path: Path, fails: list[int]
) -> None:
    web.says(LIST, [listed("0020000D", STUDY, 3)])
    fed = Fed(cli, web, tmp_path)
    for _ in range(2):
        assert (fed.sync().code, fed.held) == (3, [("available", 2)])
    web.says(METADATA, Reply(422))
    for one in fails:
        web.says(f"{INSTANCES}/{SERIES}.{one}/metadata", Reply(422))
    for _ in range(3):
        run = fed.sync("--confirm-vanished", "1")
        assert (run.code, fed.held) == (3, [("available", 2)]), run.out


def test_an_instance_whose_answer_is_garbled_does_not_hold_up_the_others(
    cli: Cli, web: Web, tmp_path: Path
) -> None:
    garbled = Reply(body=b'[{"00080018": {"vr": "UI", "Value": ["\xff"]}}]')
    web.says(METADATA, garbled)
    web.says(f"{INSTANCES}/{SERIES}.2/metadata", garbled)
    fed = Fed(cli, web, tmp_path)
    run = fed.sync()
    assert (run.code, fed.held) == (3, [("available", 1)])
    assert "instance-unavailable" in run.out


def test_what_a_study_gives_of_another_one_is_not_stated(fed: Fed, web: Web) -> None:
    first, second = objects()
    second["0020000D"]["Value"] = [f"{STUDY}.9"]
    web.says(METADATA, [first, second])
    run = fed.sync()
    assert (run.code, fed.held) == (3, [("available", 2)])
    assert "instance-unavailable" in run.out


class Unpaged(Web):
    """Gives all that it has, or a first part of that, whatever is to be passed over."""

    most, obeys = 1000, False

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer a request."""
        asked = int(parse_qs(urlsplit(sent.path).query)["limit"][0])
        most = asked if self.obeys else self.most
        found = json.loads(self.answers[LIST][0].content)[: min(most, self.most)]
        self.answers["/page"] = [Reply(body=json.dumps(found).encode())]
        super().answer(request, replace(sent, path="/dicom-web/page"), content)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_a_server_that_knows_no_pages_is_read_whole(count: int) -> None:
    with Unpaged() as web:
        web.says(LIST, [listed("0020000D", f"1.2.{one}", 1) for one in range(count)])
        archive = open_archive(address(web), Opening())
        assert [one.uid for one in archive.studies(Query())] == [f"1.2.{n}" for n in range(count)]
        assert len(web.log) < 4


@pytest.mark.parametrize("most", [2, 5])
def test_a_server_that_gives_the_same_page_again_and_again_is_not_listed_whole(most: int) -> None:
    with Unpaged() as web:
        web.most, web.obeys = most, True
        web.says(LIST, [listed("0020000D", f"1.2.{one}", 1) for one in range(20)])
        archive = open_archive(address(web), Opening())
        with pytest.raises(Unsteady):
            list(archive.studies(Query()))
        assert len(web.log) < 20
