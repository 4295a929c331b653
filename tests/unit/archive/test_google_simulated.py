"""A DICOM store of Google's Cloud Healthcare API, simulated: tokens by google-auth, long lists."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import Dataset

from deidfhir.archive.archive import Archive, Query
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.errors import FatalError, RetriableError, UsageError
from deidfhir.web.timing import Clock
from tests.simulated.dicomweb import GOOGLE_STORE, SimulatedCloud
from tests.simulated.tokens import TokenService, as_service_account
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _account(tokens: TokenService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_service_account(tokens, tmp_path, monkeypatch)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))


def objects(study: int, *numbers: int, **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    """Return instances of a study."""
    stated = {"PatientIdentityRemoved": "YES", **attributes}
    return [instance(study, 1, number, **stated) for number in numbers]


def address(cloud: SimulatedCloud) -> str:
    """Return the address of the store."""
    return f"google+{cloud.origin}{GOOGLE_STORE}"


def opened(cloud: SimulatedCloud, clock: Clock | None = None) -> Archive:
    """Return the store as an archive."""
    return open_archive(address(cloud), Opening(timeout=5, clock=clock or Clock()))


def test_a_short_address_stands_for_the_long_one() -> None:
    made = open_archive("gcp://my-project/europe-west4/set/store/", Opening())
    assert made.shown == (
        "https://healthcare.googleapis.com/v1/projects/my-project/locations/europe-west4"
        "/datasets/set/dicomStores/store/dicomWeb"
    )
    assert made.dicomweb_root == made.shown
    assert open_archive("gcp://domain.org:p/eu/d/s", Opening()).shown.count("domain.org:p") == 1


@pytest.mark.parametrize("wrong", ["gcp://", "gcp://p/l/d", "gcp://p/l/d/s/x", "gcp://p/l/d/s?a=b"])
def test_a_short_address_of_another_form_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_archive(wrong, Opening())
    assert caught.value.code == "gcp-form"


def test_a_library_that_is_missing_is_named(
    cloud: SimulatedCloud, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    ran = cli("show", "--from", address(cloud))
    assert (ran.code, ran.err) == (
        1,
        "deidfhir: Google Cloud needs a library: pip install 'deidfhir[google]'\n",
    )


def test_studies_are_listed_and_read(cloud: SimulatedCloud) -> None:
    cloud.most = 2
    for study in range(1, 6):
        cloud.put(objects(study, 1, 2, 3))
    archive = opened(cloud)
    found = list(archive.studies(Query()))
    assert [one.instances for one in found] == [3] * 5
    assert len(archive.objects(found[0], dict).objects) == 3
    assert archive.position() is None


def test_a_list_that_is_too_long_is_told_of(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "deidfhir.archive.clouds.table",
        lambda _: {"google": {"scope": "s", "furthest": 3}},
    )
    cloud.most = 2
    for study in range(1, 6):
        cloud.put(objects(study, 1))
    with pytest.raises(FatalError, match="lists no more than 3 studies of one search"):
        list(opened(cloud).studies(Query()))


def test_a_token_is_asked_for_once_and_anew_before_it_ends(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    cloud.put(objects(1, 1))
    now = [0.0]
    archive = opened(cloud, Clock(monotonic=lambda: now[0]))
    for at, issued in ((0.0, 1), (3000.0, 1), (3590.0, 2), (3600.0, 2)):
        now[0] = at
        assert len(list(archive.studies(Query()))) == 1
        assert tokens.issued == issued


def test_a_token_that_was_revoked_is_replaced_once(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    cloud.put(objects(1, 1))
    archive = opened(cloud)
    assert len(list(archive.studies(Query()))) == 1
    cloud.token = "Bearer token-2"  # noqa: S105
    assert len(list(archive.studies(Query()))) == 1
    cloud.token = "Bearer another"  # noqa: S105
    with pytest.raises(FatalError) as caught:
        list(archive.studies(Query()))
    assert (caught.value.code, tokens.issued) == ("token-refused", 3)


def test_credentials_that_are_not_to_be_had_are_told_of_in_one_line(
    cloud: SimulatedCloud, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    ran = cli("show", "--from", address(cloud))
    assert ran.code == 1
    assert "are to be had by the ways that the library of Google knows" in ran.err
    assert ran.err.count("\n") == 1


def test_who_issues_no_token_is_told_of_and_not_quoted(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    tokens.refusing = 400
    with pytest.raises(FatalError) as caught:
        opened(cloud).walk()["credentials"]()
    assert caught.value.code == "archive-credentials"
    assert "CANARY" not in str(caught.value)


def test_who_issues_tokens_may_be_down_for_now(
    cloud: SimulatedCloud, tokens: TokenService, tmp_path: Path
) -> None:
    account = tmp_path / "account.json"
    nobody = "http://127.0.0.1:9/token"
    account.write_text(account.read_text().replace(tokens.url, nobody), encoding="utf-8")
    with pytest.raises(RetriableError) as caught:
        opened(cloud).walk()["credentials"]()
    assert caught.value.code == "token-down"


@pytest.mark.parametrize(
    ("status", "code"), [(403, "unauthorised"), (404, "archive-refused"), (400, "archive-refused")]
)
def test_a_leg_that_fails_is_named(cloud: SimulatedCloud, status: int, code: str) -> None:
    legs = opened(cloud).walk()
    assert legs["search"]() == "archive-empty"
    assert legs["changes"]() == "changes-untold"
    cloud.put(objects(1, 1))
    assert {
        legs[name]() for name in ("site", "dns", "tcp", "credentials", "search", "metadata")
    } == {None}
    cloud.refusing = status
    with pytest.raises(FatalError) as caught:
        legs["search"]()
    assert caught.value.code == code


def test_the_bundles_are_those_of_the_files(
    cloud: SimulatedCloud, cli: Cli, tmp_path: Path
) -> None:
    made = [one for study in (1, 2) for one in objects(study, 1, 2)]
    cloud.put(made)
    for number, one in enumerate(made):
        write(one, tmp_path / "files" / f"{number}.dcm")
    settings = tmp_path / "settings.toml"
    settings.write_text(f'dicomweb_root = "{cloud.origin}{GOOGLE_STORE}"\n')
    ours = cli("map", "--from", address(cloud))
    theirs = cli("map", tmp_path / "files", "--config", settings)
    assert (ours.code, ours.lines) == (0, theirs.lines)
    for command in ("sync", "verify"):
        assert cli(command, "--from", address(cloud), "--to", tmp_path / "fhir").code == 0


def test_the_header_of_the_page_is_taken(cloud: SimulatedCloud, tmp_path: Path) -> None:
    page = (REPO / "docs" / "clouds.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "access.toml"
    path.write_text(example, encoding="utf-8")
    cloud.put(objects(1, 1))
    archive = open_archive(address(cloud), Opening(access=str(path)))
    assert len(list(archive.studies(Query()))) == 1


def test_doctor_names_the_leg_that_fails(
    cloud: SimulatedCloud, tokens: TokenService, cli: Cli
) -> None:
    cloud.put(objects(1, 1))
    assert cli("doctor", "--from", address(cloud)).code == 0
    tokens.refusing = 400
    ran = cli("doctor", "--from", address(cloud), "--json")
    failed = [one["leg"] for one in ran.report["source_legs"] if one["state"] == "failed"]
    assert (ran.code, failed) == (1, ["credentials"])


def test_no_value_and_no_token_is_in_any_log(
    cloud: SimulatedCloud, cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    planted = {"PatientName": "CANARY^NAME", "DeidentificationMethod": "CANARY method"}
    cloud.put(objects(1, 1, **planted))
    caplog.set_level(logging.DEBUG)
    assert cli("sync", "--from", address(cloud), "--to", tmp_path / "fhir").code == 0
    cloud.refusing = 403
    ran = cli("sync", "--from", address(cloud), "--to", tmp_path / "fhir")
    assert ran.code == 1
    told = caplog.text + ran.out + ran.err
    assert not [one for one in ("CANARY", "token-1", uid_of_the_study()) if one in told]
    assert len(caplog.records) > 0


def uid_of_the_study() -> str:
    """Return the UID of the study."""
    return str(objects(1, 1)[0].StudyInstanceUID)
