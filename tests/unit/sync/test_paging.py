"""The next page is asked of the server of the base URL, or it is no answer; never of another."""

from __future__ import annotations

import json

import pytest
import requests

from deidfhir.errors import FatalError
from deidfhir.sync.paging import next_path
from deidfhir.sync.reading import Reader
from deidfhir.web.access.access import Access
from deidfhir.web.access.credentials import Bearer
from deidfhir.web.access.secret import Secret
from deidfhir.web.connections import Connections
from deidfhir.web.request import Request
from deidfhir.web.transport import Transport
from tests.unit.web.test_transport import Session

ROOT, BASE = "https://fhir.example", "https://fhir.example/fhir"
ASKED = "/ImagingStudy?identifier=x&_count=20"


@pytest.mark.parametrize(
    ("base", "link", "path"),
    [
        # As HAPI, Medplum and others give them.
        (BASE, f"{BASE}?_getpages=a&_getpagesoffset=20", "?_getpages=a&_getpagesoffset=20"),
        (BASE, f"{BASE}/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (f"{BASE}/", f"{BASE}/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (BASE, f"{BASE}/ImagingStudy/__page/abc", "/ImagingStudy/__page/abc"),
        (BASE, f"{BASE}/__page/abc?x=1", "/__page/abc?x=1"),
        (ROOT, f"{ROOT}/?_getpages=a", "?_getpages=a"),
        (ROOT, f"{ROOT}/__page/abc", "/__page/abc"),
        # Relative ones.
        (BASE, "ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (BASE, "?page=2", "/ImagingStudy?page=2"),
        (BASE, "/fhir/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (ROOT, "ImagingStudy?page=2", "/ImagingStudy?page=2"),
        # The server behind a proxy names itself otherwise.
        (BASE, "http://inside:8080/fhir/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (BASE, "http://inside:8080/r4/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (BASE, "http://inside:8080/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (BASE, "http://inside:8080/hapi/r4?_getpages=a", "?_getpages=a"),
        (ROOT, "http://inside:8080/r4/ImagingStudy?page=2", "/ImagingStudy?page=2"),
        (ROOT, "http://inside:8080/r4?_getpages=a", "?_getpages=a"),
        (ROOT, "https://other.example/?page=2", "?page=2"),
    ],
)
def test_a_next_page_is_below_our_own_base(base: str, link: str, path: str) -> None:
    assert next_path(base, ASKED, link, "ImagingStudy") == path


@pytest.mark.parametrize(
    ("base", "link"),
    [
        (ROOT, "@evil.example/collect?p=2"),
        (ROOT, "https://fhir.example@evil.example/x?p=2"),
        (BASE, "https://evil.example/collect?p=2"),
        (ROOT, "https://evil.example/collect?p=2"),
        (BASE, "//evil.example/collect?p=2"),
        (BASE, "/admin?x=1"),
        (BASE, "/fhir/../admin?x=1"),
        (BASE, f"{BASE}/../admin?x=1"),
        (BASE, f"{BASE}/%2e%2e/admin?x=1"),
        (BASE, f"{BASE}/..%2fadmin?x=1"),
        (BASE, f"{BASE}/@evil.example?x=1"),
        (BASE, f"{BASE}\\@evil.example?x=1"),
        (BASE, "https://fhir.example/fhirs/collect?p=2"),
        (BASE, BASE),
        (BASE, "http://[::1/fhir/ImagingStudy?p=2"),
        (BASE, "http://inside:99999999/x?p=2"),
        (BASE, "file:///fhir/ImagingStudy?p=2"),
        (BASE, "javascript:ImagingStudy"),
    ],
)
def test_what_is_not_below_it_is_no_page(base: str, link: str) -> None:
    assert next_path(base, ASKED, link, "ImagingStudy") is None


def _transport(session: requests.Session, monkeypatch: pytest.MonkeyPatch) -> Transport:
    monkeypatch.setenv("TOKEN", "s3cret")
    access = Access(Bearer(Secret("env", ("TOKEN",))))
    return Transport(ROOT, access=access, connections=Connections(lambda: session))


@pytest.mark.parametrize("link", ["@evil.example/collect?p=2", "https://evil.example/x?p=2"])
def test_a_link_to_another_server_ends_the_search_with_an_error(
    link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"resource": {"resourceType": "ImagingStudy", "id": "a"}}
    bundle = {
        "resourceType": "Bundle",
        "entry": [found],
        "link": [{"relation": "next", "url": link}],
    }
    session = Session([(200, json.dumps(bundle).encode(), {})])
    with pytest.raises(FatalError) as raised:
        list(Reader(_transport(session, monkeypatch)).pages("ImagingStudy", "x=1"))
    assert raised.value.code == "answer-unexpected"
    assert [url for _, url, _ in session.asked] == [f"{ROOT}/ImagingStudy?x=1"]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/ImagingStudy?page=2", "ImagingStudy"),
        ("GET", "/DOE-JOHN/ImagingStudy?page=2", "other"),
        ("GET", "/Doe?page=2", "other"),
        ("GET", "?_getpages=DOE", "other"),
        ("GET", "/metadata", "metadata"),
        ("POST", "", "transaction"),
    ],
)
def test_of_an_address_a_known_type_is_told_and_no_word_of_a_server(
    method: str, path: str, kind: str
) -> None:
    assert Request(method, path, None, {}, settles=False).told["kind"] == kind


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/x", ":8443/x", "\\@evil/x"])
def test_no_request_leaves_for_another_server_with_what_lets_in(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session([(200, b"{}", {})])
    with pytest.raises(FatalError) as raised:
        _transport(session, monkeypatch).send("GET", path)
    assert (raised.value.code, session.asked) == ("answer-unexpected", [])
