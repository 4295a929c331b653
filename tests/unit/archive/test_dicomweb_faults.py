"""DICOMweb archives that fail as a real one cannot be made to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deidfhir.archive.archive import CursorLost, Gone, Query, StudyListed
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.errors import DeidFhirError, FatalError, RetriableError
from tests.conftest import Cli
from tests.integration.fake import Reply
from tests.integration.listener import Listener, Sent
from tests.synthetic.dicomjson import json_object
from tests.synthetic.objects import instance

STUDY, SERIES = "1.2.826.0.1.3680043.8.498.62.1", "1.2.826.0.1.3680043.8.498.62.1.1"
LIST, SERIES_LIST = "/studies", f"/studies/{STUDY}/series"
INSTANCES, METADATA = f"{SERIES_LIST}/{SERIES}/instances", f"{SERIES_LIST}/{SERIES}/metadata"


class Web(Listener):
    """Answers each path as a test says; what it says in turn is gone through, and the last stays.

    Attributes:
        answers: Path behind the root → what is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[Reply]] = {}

    def says(self, path: str, *replies: object) -> None:
        """Let a path be answered by JSON or by replies; of a list a search gives a page."""
        self.answers[path] = [
            one if isinstance(one, Reply) else Reply(body=json.dumps(one).encode())
            for one in replies
        ]

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for."""
        return [urlsplit(one.path).path.removeprefix("/dicom-web") for one in self.log]

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer a request."""
        del content
        parts = urlsplit(sent.path)
        query = {key: one[0] for key, one in parse_qs(parts.query).items()}
        replies = self.answers.get(parts.path.removeprefix("/dicom-web"), [Reply(404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        text = reply.content
        if "offset" in query and text.startswith(b"[{"):
            first = int(query["offset"])
            text = json.dumps(json.loads(text)[first : first + int(query["limit"])]).encode()
        request.send_response(reply.status)
        request.send_header("Content-Type", "application/dicom+json")
        request.send_header("Content-Length", str(len(text)))
        for name, value in reply.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)


@pytest.fixture
def web() -> Iterator[Web]:
    """Give an archive of one study of two instances."""
    with Web() as made:
        first, second = objects()
        made.says(LIST, [listed("0020000D", STUDY, 2)])
        made.says(SERIES_LIST, [listed("0020000E", SERIES)])
        made.says(INSTANCES, [listed("00080018", f"{SERIES}.{one}") for one in (1, 2)])
        made.says(METADATA, [first, second])
        made.says(f"{INSTANCES}/{SERIES}.1/metadata", [first])
        made.says(f"{INSTANCES}/{SERIES}.2/metadata", [second])
        yield made


def objects() -> list[dict[str, Any]]:
    """Return the study's objects."""
    made = (instance(1, 1, number, PatientIdentityRemoved="YES") for number in (1, 2))
    return [json_object(one) for one in made]


def listed(tag: str, uid: str, count: int | None = None) -> dict[str, object]:
    """Return a result of a search."""
    found: dict[str, object] = {tag: {"vr": "UI", "Value": [uid]}}
    return found if count is None else found | {"00201208": {"vr": "IS", "Value": [count]}}


def address(web: Web, kind: str = "dicomweb") -> str:
    """Return the archive's address."""
    return f"{kind}+http://127.0.0.1:{web.port}/dicom-web"


def shown(cli: Cli, web: Web) -> tuple[int, int, list[str]]:
    """Show the archive; return exit code, instances read and the codes of what was skipped."""
    run = cli("show", "--from", address(web), "--timeout", "1", "--json")
    found = run.report
    return run.code, found.get("instances", 0), [one["code"] for one in found.get("skipped", [])]


def test_a_study_is_asked_for_with_one_request_a_series(cli: Cli, web: Web) -> None:
    assert shown(cli, web) == (0, 2, [])
    assert sorted(web.asked) == sorted([LIST, LIST, SERIES_LIST, METADATA])


@pytest.mark.parametrize("status", [400, 406, 413, 422])
def test_a_series_that_is_refused_is_asked_for_instance_by_instance(
    cli: Cli, web: Web, status: int
) -> None:
    web.says(METADATA, Reply(status))
    assert shown(cli, web) == (0, 2, [])


def test_an_instance_that_the_archive_fails_on_is_told_of(cli: Cli, web: Web) -> None:
    web.says(METADATA, Reply(422))
    web.says(f"{INSTANCES}/{SERIES}.2/metadata", Reply(422))
    assert shown(cli, web) == (3, 1, ["instance-unavailable"])


def test_an_archive_that_gives_less_than_it_lists_is_told_of(cli: Cli, web: Web) -> None:
    web.says(LIST, [listed("0020000D", STUDY, 3)])
    assert shown(cli, web) == (3, 2, ["instance-unavailable"])


def test_what_was_deleted_since_it_was_listed_is_not_missing(cli: Cli, web: Web) -> None:
    web.says(LIST, [listed("0020000D", STUDY, 3)], [], [listed("0020000D", STUDY, 2)])
    assert shown(cli, web) == (0, 2, [])


def test_a_study_that_has_gone_since_it_was_listed_is_passed_over(cli: Cli, web: Web) -> None:
    web.says(SERIES_LIST, Reply(404))
    web.says(LIST, [listed("0020000D", STUDY, 2)], [])
    assert shown(cli, web) == (0, 0, [])
    archive = open_archive(address(web), Opening())
    with pytest.raises(Gone):
        archive.objects(StudyListed(STUDY, 2), dict)


def test_no_content_is_an_empty_list(cli: Cli, web: Web) -> None:
    web.says(LIST, Reply(204))
    assert shown(cli, web) == (0, 0, [])


def test_a_server_whose_pages_are_short_is_asked_for_the_rest(cli: Cli, web: Web) -> None:
    other = f"{SERIES}9"
    (second, *_) = objects()
    second["00080018"]["Value"], second["0020000E"]["Value"] = [f"{other}.1"], [other]
    web.says(LIST, [listed("0020000D", STUDY, 3)])
    first = [listed("0020000E", SERIES)]
    web.says(SERIES_LIST, first, [*first, listed("0020000E", other)])
    web.says(f"{SERIES_LIST}/{other}/metadata", [second])
    assert shown(cli, web) == (0, 3, [])


@pytest.mark.parametrize("uid", ["", "../../x", "1/2", "..", "1 2", "1?x=2"])
def test_a_uid_that_cannot_stand_in_an_address_is_never_asked_for(
    cli: Cli, web: Web, uid: str
) -> None:
    web.says(LIST, [listed("0020000D", uid, 1), listed("0020000D", STUDY, 2)])
    assert shown(cli, web) == (3, 2, ["no-study-uid"])
    assert set(web.asked) == {LIST, SERIES_LIST, METADATA}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(404), "archive-refused"),
        (Reply(400), "archive-refused"),
        (Reply(501), "not-dicomweb"),
        (Reply(body=b"<html>"), "not-dicomweb"),
        (Reply(body=b"[1]"), "not-dicomweb"),
        (Reply(401), "credentials-demanded"),
        (Reply(403), "unauthorised"),
    ],
)
def test_an_archive_that_is_none_ends_the_run(cli: Cli, web: Web, reply: Reply, code: str) -> None:
    web.says(LIST, reply)
    run = cli("show", "--from", address(web), "--timeout", "1")
    assert (run.code, run.out) == (1, "")
    assert run.err.count("\n") == 1
    with pytest.raises(FatalError) as told:
        list(open_archive(address(web), Opening(timeout=1)).studies(Query()))
    assert told.value.code == code


def test_an_archive_that_fails_on_a_search_is_for_later(cli: Cli, web: Web) -> None:
    web.says(LIST, Reply(500))
    run = cli("show", "--from", address(web), "--timeout", "1")
    assert (run.code, run.out) == (5, "")
    assert "(HTTP 500)" in run.err


def test_an_archive_that_is_busy_for_too_long_is_for_later(cli: Cli, web: Web) -> None:
    web.says(METADATA, Reply(503, headers={"Retry-After": "9"}))
    run = cli("show", "--from", address(web), "--timeout", "1")
    assert (run.code, run.out) == (5, "")


def test_series_that_never_hold_still_are_for_later(web: Web) -> None:
    pages = [[listed("0020000E", f"{SERIES}.{one}")] for one in range(20)]
    web.says(SERIES_LIST, *pages)
    archive = open_archive(address(web), Opening())
    with pytest.raises(RetriableError) as told:
        archive.objects(StudyListed(STUDY), dict)
    assert told.value.code == "archive-unsteady"


def test_an_instance_that_cannot_be_read_is_told_of_with_its_study(cli: Cli, web: Web) -> None:
    first, second = objects()
    second["00080018"] = {"vr": "UI"}
    web.says(METADATA, [first, second])
    assert shown(cli, web) == (3, 1, ["no-instance-uid"])


LOG = {"Changes": [], "Done": True, "Last": 0}


@pytest.mark.parametrize("reply", [{"Changes": []}, {"Last": "x"}, Reply(404), Reply(400), []])
def test_what_tells_no_changes_is_no_orthanc(web: Web, reply: object) -> None:
    web.says("/changes", reply)
    archive = open_archive(address(web, "orthanc"), Opening(timeout=1))
    with pytest.raises(DeidFhirError) as told:
        archive.position()
    assert told.value.code == "not-orthanc"


@pytest.mark.parametrize("since", ["", "x", "x@20260101T000000", "5"])
def test_a_position_that_the_log_does_not_know_is_lost(web: Web, since: str) -> None:
    web.says("/changes", LOG)
    archive = open_archive(address(web, "orthanc"), Opening(timeout=1))
    with pytest.raises(CursorLost):
        archive.changed(since)


@pytest.mark.parametrize(
    ("path", "reply", "leg", "code"),
    [
        (LIST, Reply(403), "search", "unauthorised"),
        (LIST, Reply(body=b"<html>"), "search", "not-dicomweb"),
        (LIST, Reply(400), "search", "archive-refused"),
        (SERIES_LIST, Reply(403), "metadata", "unauthorised"),
        (SERIES_LIST, Reply(404), "metadata", "archive-refused"),
        (f"{INSTANCES}/{SERIES}.1/metadata", Reply(422), "metadata", "archive-refused"),
    ],
)
def test_doctor_names_the_leg_that_fails(  # noqa: PLR0917
    cli: Cli, web: Web, path: str, reply: Reply, leg: str, code: str
) -> None:
    web.says(path, reply)
    run = cli("doctor", "--from", address(web), "--timeout", "1", "--json")
    assert run.code == 1
    failed = [(one["leg"], one["code"]) for one in run.report["source_legs"] if is_failed(one)]
    assert failed == [(leg, code)]


def is_failed(leg: dict[str, str]) -> bool:
    """Whether a leg failed."""
    return leg["state"] == "failed"


@pytest.mark.parametrize(
    ("path", "reply", "remarks"),
    [
        ("", {}, ["changes-untold"]),
        (LIST, [], ["archive-empty", "archive-empty", "changes-untold"]),
        (SERIES_LIST, [], ["archive-moves", "changes-untold"]),
    ],
)
def test_doctor_remarks_what_is_odd(
    cli: Cli, web: Web, path: str, reply: object, remarks: list[str]
) -> None:
    web.says(path, reply)
    run = cli("doctor", "--from", address(web), "--timeout", "1", "--json")
    found = [one["code"] for one in run.report["source_legs"] if one["code"]]
    assert (run.code, found) == (0, ["tls-absent", *remarks])


def test_nothing_of_what_is_read_is_in_a_name(cli: Cli, web: Web, tmp_path: Path) -> None:
    web.says(METADATA, Reply(422))
    web.says(f"{INSTANCES}/{SERIES}.2/metadata", Reply(422))
    run = cli("sync", "--from", address(web), "--to", tmp_path / "out", "--json")
    assert run.code == 3
    assert STUDY not in run.out + run.err
