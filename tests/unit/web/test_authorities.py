"""Authorities that the environment names and that cannot be used are told, whoever needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.errors import DeidFhirError, FatalError
from deidfhir.web.access.access import Access
from deidfhir.web.access.connection import Connection
from deidfhir.web.access.discovery import discovered
from deidfhir.web.access.oauth import Endpoint
from deidfhir.web.access.reach import Reach
from deidfhir.web.connections import Connections
from deidfhir.web.timing import Clock
from deidfhir.web.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://nobody.invalid/fhir"
CLIENT = {"client_id": "a", "client_secret": "b"}

ASKING: dict[str, Callable[[], object]] = {
    "request": lambda: Transport(URL, 1.0).send("GET", "/metadata"),
    "first answer": lambda: Reach(URL, Connection(), 1.0).first_answer(),
    "discovery": lambda: discovered(URL, Connection(), 1.0, {}),
    "token": lambda: Endpoint(URL, Connection(), Clock(), 1.0).ask(dict(CLIENT)),
    "preparation": lambda: Access().prepare(URL),
}


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be neither a proxy nor other authorities."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, asking: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
    with pytest.raises(FatalError) as raised:
        ASKING[asking]()
    assert raised.value.code == "tls-ca"
    assert str(tmp_path / "none.pem") in str(raised.value)


def test_a_file_of_something_else_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "some.pem"))
    with pytest.raises(FatalError) as raised:
        Access().prepare(URL)
    assert raised.value.code == "tls-ca"


def test_a_folder_is_taken_and_plain_http_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    Access().prepare(URL)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    Access().prepare("http://nobody.invalid/fhir")


def test_a_clients_certificate_that_was_taken_away_is_told(tmp_path: Path) -> None:
    connection = Connection(certificate=str(tmp_path / "client.pem"))
    session = Connection().session()
    session.cert = connection.certificate
    transport = Transport(
        URL, 1.0, access=Access(connection=connection), connections=Connections(lambda: session)
    )
    with pytest.raises(DeidFhirError) as raised:
        transport.send("GET", "/metadata")
    assert raised.value.code == "tls-certificate"
