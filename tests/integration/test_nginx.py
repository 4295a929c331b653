"""The recipe for nginx, in front of a real HAPI: it gives away what may be, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.fake import Reply
from tests.integration.gateways import Running, serving
from tests.integration.proxying import Proxy, Raw, proxying
from tests.integration.support import Archive, Site, held, put, search

if TYPE_CHECKING:
    from tests.integration.fake import FakeServer

FORBIDDEN = '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden"}]}'


@dataclass
class Ground:
    """One site with a gateway and nginx, and an ImagingStudy that may be given away.

    Args:
        site: The site.
        archive: Its archive; study 1 is stated.
        proxy: nginx.
        gateway: The gateway.
        id: The ImagingStudy's.
    """

    site: Site
    archive: Archive
    proxy: Proxy
    gateway: Running
    id: str

    @property
    def path(self) -> str:
        """The one path that is let through."""
        return f"/fhir/ImagingStudy/{self.id}"

    def id_of(self, study: int) -> str:
        """Return the id of the ImagingStudy of a study."""
        (found,) = search(
            self.site.url, f"ImagingStudy?identifier=urn:oid:{self.archive.uid(study)}"
        )
        return str(found["id"])


def spooled(tmp_path: Path, name: str = "nginx") -> Path:
    """Return a folder for what nginx writes."""
    folder = tmp_path / name
    folder.mkdir()
    return folder


@contextmanager
def made(site: Site, archive: Archive, folder: Path) -> Iterator[Ground]:
    """Give a site with a gateway and nginx."""
    archive.put(1, 1)
    site.sync(archive.folder)
    where = ("--to", site.url, "--journal", site.journal, "--fhir", "R4")
    with serving(*where) as gateway, proxying(folder, site.url, gateway.url) as proxy:
        found = Ground(site, archive, proxy, gateway, "")
        found.id = found.id_of(1)
        yield found


@pytest.fixture
def ground(r4_site: Site, archive: Archive, tmp_path: Path) -> Iterator[Ground]:
    """Give a ground that the test may change."""
    with made(r4_site, archive, spooled(tmp_path)) as found:
        yield found


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[ExitStack, list[Ground]]]:
    """Keep what is made once, until the last test here has ended."""
    with ExitStack() as stack:
        yield stack, []


@pytest.fixture
def refusing(
    kept: tuple[ExitStack, list[Ground]], r4_site: Site, archive: Archive, tmp_path: Path
) -> Ground:
    """Give a ground that no test changes: it is the same for all."""
    stack, grounds = kept
    if not grounds:
        grounds.append(stack.enter_context(made(r4_site, archive, spooled(tmp_path))))
    return grounds[0]


def refused(answer: Raw) -> bool:
    """Whether an answer is the one refusal, which says nothing."""
    return (answer.status, answer.body) == (403, FORBIDDEN)


def test_a_study_that_the_record_says_is_de_identified_is_given_as_it_is(ground: Ground) -> None:
    answer = ground.proxy.ask(ground.path, Accept="application/fhir+json")
    assert answer.status == 200
    assert (
        json.loads(answer.body) == held(ground.site.url, [f"ImagingStudy/{ground.id}"]).popitem()[1]
    )
    assert "cache-control: no-store" in answer.head.lower()
    assert "location" not in answer.head.lower()


PATHS = {
    "search": "/fhir/ImagingStudy",
    "search by id": "/fhir/ImagingStudy?_id=ID",
    "search with nothing": "/fhir/ImagingStudy?",
    "search for all types": "/fhir?_type=ImagingStudy",
    "_include": "/fhir/ImagingStudy?_id=ID&_include=ImagingStudy:subject",
    "_revinclude": "/fhir/ImagingStudy?_id=ID&_revinclude=Provenance:target",
    "_history of it": "/fhir/ImagingStudy/ID/_history",
    "_history of its type": "/fhir/ImagingStudy/_history",
    "_history of all": "/fhir/_history",
    "vread": "/fhir/ImagingStudy/ID/_history/1",
    "an operation on it": "/fhir/ImagingStudy/ID/$validate",
    "an operation on its type": "/fhir/ImagingStudy/$meta",
    "an operation on all": "/fhir/$meta",
    "compartment": "/fhir/ImagingStudy/ID/*",
    "another type": "/fhir/Provenance/ID",
    "Patient": "/fhir/Patient/ID",
    "what the server is": "/fhir/metadata",
    "the base": "/fhir",
    "the root": "/",
    "a query": "/fhir/ImagingStudy/ID?_format=json",
    "a summary": "/fhir/ImagingStudy/ID?_summary=text",
    "an empty query": "/fhir/ImagingStudy/ID?",
    "a fragment": "/fhir/ImagingStudy/ID#x",
    "a slash after it": "/fhir/ImagingStudy/ID/",
    "two slashes": "/fhir//ImagingStudy/ID",
    "two slashes before": "//fhir/ImagingStudy/ID",
    "a dot": "/fhir/./ImagingStudy/ID",
    "two dots": "/fhir/ImagingStudy/../ImagingStudy/ID",
    "two dots as id": "/fhir/ImagingStudy/..",
    "dots in its place": "/fhir/ImagingStudy/ID/../../Patient",
    "encoded dots": "/fhir/ImagingStudy/%2e%2e/ImagingStudy/ID",
    "an encoded slash": "/fhir/ImagingStudy%2fID",
    "an encoded letter": "/fhir/%49magingStudy/ID",
    "an encoded query": "/fhir/ImagingStudy/ID%3f_format=json",
    "an encoded line end": "/fhir/ImagingStudy/ID%0d%0a",
    "an encoded nothing": "/fhir/ImagingStudy/ID%00",
    "encoded twice": "/fhir/ImagingStudy/%252e%252e",
    "a parameter of the path": "/fhir/ImagingStudy;x=1/ID",
    "a parameter of the id": "/fhir/ImagingStudy/ID;x=1",
    "a backslash": "/fhir\\ImagingStudy\\ID",
    "another case of the type": "/fhir/imagingstudy/ID",
    "another case of the base": "/FHIR/ImagingStudy/ID",
    "another base": "/fhir2/ImagingStudy/ID",
    "an extension": "/fhir/ImagingStudy/ID.json/x",
    "the gateway's own path": "/deidfhir-decide",
    "the gateway's path": "/decide?resource=ImagingStudy/ID",
}


@pytest.mark.parametrize("name", PATHS)
def test_any_other_path_is_refused(refusing: Ground, name: str) -> None:
    answer = refusing.proxy.ask(PATHS[name].replace("ID", refusing.id))
    if name == "the gateway's own path":
        assert answer.status in (403, 404)
    else:
        assert refused(answer)


@pytest.mark.parametrize(
    "method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"]
)
def test_any_other_method_is_refused(refusing: Ground, method: str) -> None:
    answer = refusing.proxy.ask(refusing.path, method)
    assert answer.status in (400, 403, 405)
    assert refusing.id not in answer.body


BUNDLE = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [{"request": {"method": "GET", "url": "ImagingStudy"}}],
}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_is_refused(refusing: Ground, kind: str) -> None:
    body = json.dumps({**BUNDLE, "type": kind})
    form = {"Content_Type": "application/fhir+json"}
    assert refused(refusing.proxy.ask("/fhir", "POST", body, **form))
    assert refused(refusing.proxy.ask("/fhir/", "POST", body, **form))


def test_a_search_by_post_is_refused(refusing: Ground) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = refusing.proxy.ask("/fhir/ImagingStudy/_search", "POST", f"_id={refusing.id}", **form)
    assert refused(answer)


def test_headers_that_mean_another_request_are_not_passed_on(refusing: Ground) -> None:
    plain = refusing.proxy.ask(refusing.path)
    for header in (
        {"X_HTTP_Method_Override": "DELETE"},
        {"X_HTTP_Method": "DELETE"},
        {"If_None_Match": 'W/"1"'},
        {"X_Forwarded_Host": "evil.example"},
        {"X_Original_URL": "/fhir/Patient"},
        {"X_Rewrite_URL": "/fhir/Patient"},
        {"Range": "bytes=0-1"},
    ):
        answer = refusing.proxy.ask(refusing.path, **header)
        assert (answer.status, answer.body) == (200, plain.body)


def test_a_body_is_not_passed_on(refusing: Ground) -> None:
    answer = refusing.proxy.ask(refusing.path, "GET", "x" * 100)
    assert answer.status == 200


def test_the_whole_address_in_the_request_line_is_read_as_its_path(refusing: Ground) -> None:
    assert refused(refusing.proxy.ask("http://127.0.0.1/fhir/Patient/1"))


def test_what_is_not_stated_as_removed_is_refused_and_clients_are_not_told_why(
    ground: Ground,
) -> None:
    site, archive = ground.site, ground.archive
    archive.put(2, 1, PatientIdentityRemoved="NO", DeidentificationMethod=None)
    archive.put(3, 1)
    archive.put(3, 2, PatientIdentityRemoved=None)
    site.sync(archive.folder, "--accept", "all")
    for study in (2, 3):
        assert refused(ground.proxy.ask(f"/fhir/ImagingStudy/{ground.id_of(study)}"))
    assert refused(ground.proxy.ask("/fhir/ImagingStudy/nobody"))
    over = time.monotonic() + 20
    reasons = {"not-removed", "mixed", "missing"}
    while not all(f"decided={one}" in ground.proxy.logged() for one in reasons):
        assert time.monotonic() < over  # it logs after it has answered
        time.sleep(0.01)
    assert "ImagingStudy" not in ground.proxy.logged()


def test_what_was_written_after_the_decision_does_not_get_through(ground: Ground) -> None:
    before = ground.proxy.ask(ground.path)
    name = f"ImagingStudy/{ground.id}"
    resource = held(ground.site.url, [name])[name]
    put(ground.site.url, {**resource, "description": "of someone, with a name"})
    within = ground.proxy.ask(ground.path)
    assert (within.status, within.body) == (200, before.body)


def test_without_the_gateway_nothing_gets_through(ground: Ground) -> None:
    assert ground.proxy.ask(ground.path).status == 200
    assert ground.gateway.end() == 0
    answer = ground.proxy.ask(ground.path)
    assert answer.status == 503
    assert ground.id not in answer.body


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(status=200), 403),
        (Reply(status=200, headers={"X-Deidfhir-Version": "1/../../../Patient"}), 403),
        (Reply(status=200, headers={"X-Deidfhir-Version": ""}), 403),
        (Reply(status=302, headers={"Location": "/x"}), 503),
        (Reply(status=404), 503),
        (Reply(status=429), 503),
        (Reply(status=500), 503),
        (Reply(status=401, headers={"WWW-Authenticate": "Bearer"}), 403),
        (Reply(status=403), 403),
        (Reply(status=200, cut=10, body=b"x" * 20), 403),
    ],
    ids=lambda one: str(getattr(one, "status", "")),
)
def test_whatever_else_a_gateway_may_answer_lets_nothing_through(
    fake: FakeServer, r4_site: Site, tmp_path: Path, reply: Reply, status: int
) -> None:
    fake.always(reply)
    with proxying(spooled(tmp_path), r4_site.url, fake.url) as proxy:
        answer = proxy.ask("/fhir/ImagingStudy/1")
    assert answer.status == status
    assert answer.body.startswith('{"resourceType":"OperationOutcome"')


def test_where_the_gateway_has_tokens_nginx_shows_one(ground: Ground, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("abcdefghijklmnopqrstuvwxyz\n")
    tokens.chmod(0o600)
    site = ground.site
    where: tuple[Any, ...] = ("--to", site.url, "--journal", site.journal, "--fhir", "R4")
    line = '# proxy_set_header Authorization "Bearer …";'
    shown = line.removeprefix("# ").replace("…", "abcdefghijklmnopqrstuvwxyz")
    with serving(*where, "--token-file", tokens) as gateway:
        with proxying(spooled(tmp_path, "with"), site.url, gateway.url, {line: shown}) as proxy:
            assert proxy.ask(ground.path).status == 200
        with proxying(spooled(tmp_path, "without"), site.url, gateway.url) as proxy:
            assert refused(proxy.ask(ground.path))
