"""Credentials that the clouds' own libraries find, for any server; who issues is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deidfhir.errors import FatalError, UsageError
from deidfhir.web.access.access import Access
from deidfhir.web.access.loading import Toward, load_access
from deidfhir.web.timing import Clock
from tests.simulated.tokens import TokenService, as_managed_identity, as_service_account

URL = "https://fhir.example/fhir"
AZURE = 'kind = "azure"\nscope = ["https://fhir.example/.default"]'
GOOGLE = 'kind = "google"'


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenService]:
    """Give who issues tokens to this host."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    with TokenService() as made:
        as_managed_identity(made, monkeypatch)
        as_service_account(made, tmp_path, monkeypatch)
        yield made


def loaded(tmp_path: Path, auth: str, url: str = URL) -> Access:
    """Return what an access file decides."""
    path = tmp_path / "access.toml"
    path.write_text(f"[auth]\n{auth}\n", encoding="utf-8")
    return load_access(str(path), Toward(url, 5.0, Clock()))


@pytest.mark.parametrize("auth", [AZURE, GOOGLE])
def test_a_token_is_sent_and_asked_for_once(
    tmp_path: Path, tokens: TokenService, auth: str
) -> None:
    access = loaded(tmp_path, auth)
    access.prepare(URL)
    assert tokens.issued == 0
    assert [access.headers() for _ in range(2)] == [{"Authorization": "Bearer token-1"}] * 2
    assert access.credentials.asks
    assert "token-1" not in repr(access)


@pytest.mark.parametrize("auth", [AZURE, GOOGLE])
def test_a_token_that_is_not_issued_ends_the_run(
    tmp_path: Path, tokens: TokenService, auth: str
) -> None:
    tokens.refusing = 400
    with pytest.raises(FatalError, match=f"no credentials for {URL}") as caught:
        loaded(tmp_path, auth).headers()
    assert caught.value.code == "archive-credentials"


@pytest.mark.parametrize("auth", [AZURE, GOOGLE])
def test_no_token_is_sent_where_others_may_read_it(tmp_path: Path, auth: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, auth, "http://fhir.example/fhir")
    assert caught.value.code == "access-plain-http"
