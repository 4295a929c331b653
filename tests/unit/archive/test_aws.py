"""AWS's client library: what it needs of this host, and what it says where that is missing."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deidfhir.archive import aws
from deidfhir.archive.healthimaging import open_healthimaging
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.errors import FatalError, RetriableError, UsageError
from tests.simulated.healthimaging import ADDRESS

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the library away from the settings of whoever runs this, and off the network."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    "address",
    ["ahi://", "ahi://short", f"{ADDRESS}/short", f"{ADDRESS}?region=", f"{ADDRESS}?x=1"],
)
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_healthimaging(address)
    assert caught.value.code == "ahi-form"


def test_an_access_file_is_refused_since_the_library_has_its_own_ways() -> None:
    with pytest.raises(UsageError, match="ahi:// takes no access file"):
        open_archive(ADDRESS, Opening(access="access.toml"))


def test_a_library_that_is_missing_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    ran = cli("show", "--from", ADDRESS)
    assert (ran.code, ran.err) == (
        1,
        "deidfhir: AWS HealthImaging needs a library: pip install 'deidfhir[aws]'\n",
    )


def test_a_region_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no AWS region is set"):
        open_archive(ADDRESS, Opening()).require()
    open_archive(f"{ADDRESS}?region=eu-west-2", Opening()).require()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    open_archive(ADDRESS, Opening()).require()
    assert aws.client("here", "", 1, 1).meta.region_name == "eu-west-1"
    made = aws.client("here", "eu-west-2", 1, 3)
    assert made.meta.region_name == "eu-west-2"
    assert made.meta.config.max_pool_connections == 3


def test_the_region_is_no_part_of_the_name() -> None:
    assert open_healthimaging(f"{ADDRESS}?region=eu-west-2").shown == ADDRESS


def test_credentials_that_are_not_to_be_had_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    legs = open_healthimaging(f"{ADDRESS}?region=eu-west-2").walk()
    for name in ("credentials", "search"):
        with pytest.raises(FatalError) as caught:
            legs[name]()
        assert caught.value.code == "archive-credentials"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(FatalError) as caught:
        open_healthimaging(ADDRESS).require()
    assert caught.value.code == "archive-credentials"


def test_a_settings_file_that_is_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("no section\n")
    with pytest.raises(FatalError, match="ConfigParseError"):
        open_healthimaging(f"{ADDRESS}?region=eu-west-2").require()


def test_a_service_that_is_silent_ends_in_time() -> None:
    begun = time.monotonic()
    with pytest.raises(RetriableError, match="did not answer within"):
        aws.answered("here", 0.05, lambda: time.sleep(2))
    assert time.monotonic() - begun < 1


def test_a_service_that_is_not_there_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(aws, "_TRIES", 1)
    legs = open_healthimaging(f"{ADDRESS}?region=eu-west-2").walk()
    with pytest.raises(RetriableError) as caught:
        legs["search"]()
    assert caught.value.code == "target-down"
