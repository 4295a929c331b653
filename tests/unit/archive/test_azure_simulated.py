"""Azure's DICOM service, simulated: tokens by azure-identity, and the change feed as cursor."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import Dataset

from deidfhir.archive.archive import Archive, Changed, CursorLost, Query
from deidfhir.archive.opening import Opening, open_archive
from deidfhir.errors import FatalError, RetriableError, UsageError
from deidfhir.web.timing import Clock
from tests.integration.fake import FakeServer, Reply, accepted
from tests.simulated.dicomweb import SimulatedCloud
from tests.simulated.tokens import TokenService, as_managed_identity
from tests.synthetic.objects import instance, write

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

both_versions = pytest.mark.parametrize("version", ["v1", "v2"])


@pytest.fixture(autouse=True)
def _identity(tokens: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    as_managed_identity(tokens, monkeypatch)


def objects(study: int, *numbers: int, **attributes: Any) -> list[Dataset]:  # noqa: ANN401
    """Return instances of a study."""
    stated = {"PatientIdentityRemoved": "YES", **attributes}
    return [instance(study, 1, number, **stated) for number in numbers]


def uid(study: int) -> str:
    """Return the UID of a study."""
    return str(objects(study, 1)[0].StudyInstanceUID)


def address(cloud: SimulatedCloud, version: str = "v2") -> str:
    """Return the address of the service."""
    return f"azure+{cloud.origin}/{version}"


def opened(cloud: SimulatedCloud, version: str = "v2") -> Archive:
    """Return the service as an archive."""
    return open_archive(address(cloud, version), Opening(timeout=5))


@pytest.mark.parametrize(
    "wrong",
    ["azure+https://", "azure+https://h/v3", "azure+https://h/dicom/v2", "azure+https://h/v2/x"],
)
def test_an_address_of_another_form_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_archive(wrong, Opening())
    assert caught.value.code in ("azure-form", "source-form")


def test_the_second_version_is_asked_where_none_is_named() -> None:
    made = open_archive("azure+https://w-d.dicom.azurehealthcareapis.com", Opening())
    assert made.shown == "https://w-d.dicom.azurehealthcareapis.com/v2"
    assert made.dicomweb_root == made.shown


def test_no_token_is_sent_where_others_may_read_it() -> None:
    with pytest.raises(UsageError) as caught:
        open_archive("azure+http://dicom.example/v2", Opening())
    assert caught.value.code == "access-plain-http"


def test_a_library_that_is_missing_is_named(
    cloud: SimulatedCloud, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    ran = cli("show", "--from", address(cloud))
    assert (ran.code, ran.err) == (
        1,
        "deidfhir: Azure needs a library: pip install 'deidfhir[azure]'\n",
    )


@both_versions
def test_studies_are_listed_with_their_instances_counted(
    cloud: SimulatedCloud, version: str
) -> None:
    cloud.most = 3
    for study in range(1, 9):
        cloud.put(objects(study, 1, 2))
    found = list(opened(cloud, version).studies(Query()))
    assert [(one.uid, one.instances) for one in found] == [(uid(n), 2) for n in range(1, 9)]


@both_versions
def test_a_study_is_read_series_by_series(cloud: SimulatedCloud, version: str) -> None:
    cloud.put([*objects(1, 1, 2), instance(1, 2, 1, PatientIdentityRemoved="YES")])
    archive = opened(cloud, version)
    (only,) = archive.studies(Query())
    found = archive.objects(only, dict)
    assert (len(found.objects), found.unreadable) == (3, 0)


@both_versions
def test_what_was_created_updated_and_deleted_since_is_told(
    cloud: SimulatedCloud, version: str
) -> None:
    archive = opened(cloud, version)
    empty = archive.position()
    cloud.put(objects(1, 1))
    cloud.put(objects(2, 1, 2))
    assert empty is not None
    first = archive.changed(empty)
    assert first.studies == {uid(1), uid(2)}
    cloud.sequence += 250  # numbers that are never given
    for _ in range(1000):
        cloud.happened("create", uid(3), "1.2.3")
    cloud.put(objects(1, 1), "update")
    cloud.delete(uid(2))
    second = archive.changed(first.position)
    assert second == Changed(archive.position() or "", frozenset({uid(1), uid(2), uid(3)}))
    assert archive.changed(second.position) == Changed(second.position)


@both_versions
def test_what_becomes_visible_late_is_not_passed_over(cloud: SimulatedCloud, version: str) -> None:
    cloud.put(objects(1, 1))
    archive = opened(cloud, version)
    position = archive.position()
    assert position is not None
    cloud.put(objects(2, 1))
    cloud.feed[-1].at = cloud.feed[0].at.replace(microsecond=0)
    assert uid(2) in archive.changed(position).studies


@both_versions
@pytest.mark.parametrize("how", ["cleared", "another", "cut"])
def test_a_feed_that_was_cleared_or_is_another_is_told_of(
    cloud: SimulatedCloud, version: str, how: str
) -> None:
    for study in (1, 2, 3):
        cloud.put(objects(study, 1))
    archive = opened(cloud, version)
    position = archive.position()
    assert position is not None
    if how == "cleared":
        cloud.feed.clear()
    elif how == "another":
        cloud.feed[-1].at = cloud.feed[-1].at.replace(microsecond=7)
    else:
        cloud.put(objects(4, 1))
        del cloud.feed[:3]
    with pytest.raises(CursorLost):
        archive.changed(position)


@pytest.mark.parametrize("since", ["x", "-1@x", "1@", "1@2026-01-01T00:00:00", "17"])
def test_a_position_that_is_none_is_lost(cloud: SimulatedCloud, since: str) -> None:
    with pytest.raises(CursorLost):
        opened(cloud).changed(since)


@both_versions
def test_of_a_partition_only_its_own_changes_count(cloud: SimulatedCloud, version: str) -> None:
    cloud.put(objects(1, 1))
    cloud.happened("create", uid(2), "1.2.3", "other")
    whole = f"azure+{cloud.origin}/{version}/partitions/"
    for name, study in (("Microsoft.Default", 1), ("other", 2)):
        archive = open_archive(f"{whole}{name}", Opening())
        assert archive.shown.endswith(f"/{version}/partitions/{name}")
        found = archive.changed("0")
        assert found == Changed(archive.position() or "", frozenset({uid(study)}))
    assert cloud.asked[-1] == f"/{version}/changefeed/latest"


@both_versions
@pytest.mark.parametrize("told", [[{"Sequence": "1"}], [{}], [{"Sequence": 1, "Timestamp": 2}]])
def test_a_service_that_tells_no_change_feed_is_none_of_azure(
    cloud: SimulatedCloud, version: str, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "changes", lambda *_: (200, told))
    for ask in (opened(cloud, version).position, lambda: opened(cloud, version).changed("0")):
        with pytest.raises(FatalError) as caught:
            ask()
        assert caught.value.code == "not-azure"
    for status, code in ((404, "not-azure"), (500, "target-down")):
        cloud.refusing = status
        with pytest.raises((FatalError, RetriableError)) as failed:
            open_archive(address(cloud, version), Opening(timeout=0.3)).position()
        assert failed.value.code == code


@both_versions
def test_pages_without_an_end_are_no_answer(
    cloud: SimulatedCloud, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for study in (1, 2):
        cloud.put(objects(study, 1))
    page = [cloud.feed[0].told]
    changes = cloud.changes

    def answered(path: str, query: dict[str, str]) -> tuple[int, Any]:
        return changes(path, query) if path.endswith("/latest") else (200, page)

    monkeypatch.setattr(cloud, "changes", answered)
    with pytest.raises(FatalError, match="the same page again"):
        opened(cloud, version).changed("0")


def test_a_token_is_asked_for_once_and_anew_before_it_ends(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    cloud.put(objects(1, 1))
    tokens.lifetime, now = 100, [0.0]
    clock = Clock(monotonic=lambda: now[0])
    archive = open_archive(address(cloud), Opening(clock=clock))
    for at, issued in ((0.0, 1), (50.0, 1), (85.0, 2), (86.0, 2)):
        now[0] = at
        assert len(list(archive.studies(Query()))) == 1
        assert archive.position() is not None
        assert tokens.issued == issued


def test_a_token_that_the_service_refuses_is_told_of(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    cloud.token = "Bearer another"  # noqa: S105
    with pytest.raises(FatalError) as caught:
        list(opened(cloud).studies(Query()))
    assert caught.value.code == "token-refused"
    assert tokens.issued <= 2


def test_credentials_that_are_not_to_be_had_are_told_of_in_one_line(
    cloud: SimulatedCloud, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    monkeypatch.delenv("IDENTITY_HEADER")
    # The one of its ways that is quick to say no.
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    ran = cli("show", "--from", address(cloud))
    assert ran.code == 1
    assert ran.err.startswith(f"deidfhir: no credentials for {cloud.origin} are to be had")
    assert ran.err.count("\n") == 1


def test_an_identity_that_is_refused_quotes_nothing(
    cloud: SimulatedCloud, tokens: TokenService, cli: Cli
) -> None:
    tokens.refusing = 400
    ran = cli("show", "--from", address(cloud))
    assert ran.code == 1
    assert "CANARY" not in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("status", "code"), [(403, "unauthorised"), (404, "archive-refused")])
def test_a_leg_that_fails_is_named(cloud: SimulatedCloud, status: int, code: str) -> None:
    cloud.put(objects(1, 1))
    legs = opened(cloud).walk()
    assert list(legs) == [
        "site",
        "dns",
        "tcp",
        "tls",
        "credentials",
        "search",
        "metadata",
        "changes",
    ]
    assert {name: walk() for name, walk in legs.items() if name != "tls"} == dict.fromkeys(
        set(legs) - {"tls"}
    )
    cloud.refusing = status
    with pytest.raises(FatalError) as caught:
        legs["search"]()
    assert caught.value.code == code


def test_the_credentials_leg_fails_where_nobody_issues_a_token(
    cloud: SimulatedCloud, tokens: TokenService
) -> None:
    tokens.refusing = 400
    with pytest.raises(FatalError) as caught:
        opened(cloud).walk()["credentials"]()
    assert caught.value.code == "archive-credentials"


def test_an_access_file_may_name_other_credentials(
    cloud: SimulatedCloud, tokens: TokenService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put(objects(1, 1))
    monkeypatch.setenv("TOKEN", "token-1")
    path = tmp_path / "access.toml"
    path.write_text('[auth]\nkind = "bearer"\ntoken = { env = "TOKEN" }\n')
    archive = open_archive(address(cloud), Opening(access=str(path)))
    assert len(list(archive.studies(Query()))) == 1
    assert tokens.issued == 0


def test_a_service_that_is_busy_is_asked_later(cloud: SimulatedCloud) -> None:
    cloud.refusing = 429
    with pytest.raises(RetriableError) as caught:
        list(open_archive(address(cloud), Opening(timeout=0.5)).studies(Query()))
    assert caught.value.code == "target-busy"


@both_versions
def test_new_changed_and_deleted_studies_reach_the_target(
    cloud: SimulatedCloud, cli: Cli, tmp_path: Path, version: str
) -> None:
    stated = {"DeidentificationMethod": "tool"}
    for study in range(1, 13):
        cloud.put(objects(study, 1, 2, **stated))
    target = tmp_path / "fhir"

    def sync(*more: str) -> Ran:
        cloud.log.clear()
        return cli("sync", "--from", address(cloud, version), "--to", target, "--json", *more)

    assert sync().code == 0
    again = sync()
    assert again.code == 0
    assert not any("/studies" in one for one in cloud.asked)
    cloud.put(objects(1, 1, 2, DeidentificationMethod="another tool"), "update")
    cloud.put(objects(13, 1, **stated))
    cloud.delete(uid(2))
    third = sync()
    assert (third.code, third.report["retired"]) == (3, 1)
    asked = {one.split("/studies/")[1].split("/")[0] for one in cloud.asked if "/studies/" in one}
    assert asked == {uid(1), uid(2), uid(13)}
    held = (target / "ImagingStudy.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(one)["status"] for one in held].count("unknown") == 1
    assert len(held) == 13
    cloud.feed.clear()
    ran = sync()
    issues = ran.report["outcome"]["issue"]
    assert [one["details"]["coding"][0]["code"] for one in issues] == ["changes-lost"]
    assert len(cloud.asked) > 12


@both_versions
def test_what_could_not_be_sent_is_read_again(
    cloud: SimulatedCloud, cli: Cli, version: str
) -> None:
    for study in (1, 2):
        cloud.put(objects(study, 1))
    with FakeServer() as target:
        given = ("--from", address(cloud, version), "--to", target.url, "--timeout", "0.3")
        assert cli("sync", *given).code == 0
        cloud.put(objects(3, 1))
        target.transaction = lambda _: Reply(503)
        assert cli("sync", *given).code == 5
        target.transaction = accepted
        target.log.clear()
        assert cli("sync", *given).code == 0
        assert any(uid(3) in json.dumps(one.body) for one in target.writes)
        target.log.clear()
        cloud.log.clear()
        assert cli("sync", *given).code == 0
        assert not [one for one in cloud.asked if "/studies" in one]


def test_what_a_shifting_list_may_have_hidden_is_listed_again(
    cloud: SimulatedCloud, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.most = 2
    for study in range(1, 7):
        cloud.put(objects(study, 1))
    hidden = cloud.held.pop(str(objects(3, 1)[0].SOPInstanceUID))
    search, turn = cloud.search, iter(range(100))

    def shifting(words: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if words == [""]:  # newest first, as the service lists
            key = f"1.2.{next(turn)}"
            uids = {tag: {"vr": "UI", "Value": [key]} for tag in ("00080018", "0020000D")}
            cloud.held = {key: {**hidden, **uids}, **cloud.held}
        return search(words, query)

    monkeypatch.setattr(cloud, "search", shifting)
    given = ("--from", address(cloud), "--to", tmp_path / "fhir", "--json")
    assert "listing-unsteady" in cli("sync", *given).out
    monkeypatch.setattr(cloud, "search", search)
    cloud.held[str(objects(3, 1)[0].SOPInstanceUID)] = hidden  # of which the feed told long ago
    assert cli("sync", *given).code == 0
    held = (tmp_path / "fhir" / "ImagingStudy.ndjson").read_text(encoding="utf-8")
    assert f'"urn:oid:{uid(3)}"' in held


def test_the_bundles_are_those_of_the_files(
    cloud: SimulatedCloud, cli: Cli, tmp_path: Path
) -> None:
    made = [one for study in (1, 2) for one in objects(study, 1, 2)]
    cloud.put(made)
    for number, one in enumerate(made):
        write(one, tmp_path / "files" / f"{number}.dcm")
    ours = cli("map", "--from", address(cloud))
    root = tmp_path / "settings.toml"
    root.write_text(f'dicomweb_root = "{cloud.origin}/v2"\n')
    theirs = cli("map", tmp_path / "files", "--config", root)
    assert (ours.code, ours.lines) == (0, theirs.lines)
    for command in ("sync", "verify"):
        assert cli(command, "--from", address(cloud), "--to", tmp_path / "fhir").code == 0


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
    assert not [one for one in ("CANARY", "token-1", uid(1)) if one in told]
    assert len(caplog.records) > 0
