"""doctor: every leg of the way to a real server, walked, failing and told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deidfhir.config import Settings, load_settings
from deidfhir.mapping.context import MappingContext
from deidfhir.pipeline.doctor import diagnose
from deidfhir.tables import table
from deidfhir.web.timing import Clock
from tests.integration.certificates import Authority
from tests.integration.fake import FakeServer, Reply, capability, outcome
from tests.integration.listener import Sent
from tests.integration.proxy import Proxy
from tests.integration.relay import Relay
from tests.integration.strict import Strict
from tests.integration.support import Site, put, status_of

if TYPE_CHECKING:
    from tests.conftest import Cli, Ran

LEGS = list(table("doctor.toml")["server"])


@pytest.fixture
def strict(r4_site: Site) -> Iterator[Strict]:
    """Give a relay that refuses what the test says."""
    with Strict(r4_site.url) as made:
        yield made


def legs(run: Ran) -> dict[str, tuple[str, str]]:
    """Return leg → state and code."""
    return {one["leg"]: (one["state"], one["code"]) for one in run.report["legs"]}


def assert_fails(run: Ran, leg: str, code: str, exit_code: int) -> str:
    """Assert that one leg fails, those before do not, those behind are not walked; return why."""
    found = legs(run)
    assert found[leg] == ("failed", code)
    assert run.code == run.report["exit_code"] == exit_code
    place = list(found).index(leg)
    states = [state for state, _ in found.values()]
    assert set(states[:place]) <= {"ok", "warning"}
    assert set(states[place + 1 :]) <= {"not reached"}
    (told,) = [one["text"] for one in run.report["legs"] if one["leg"] == leg]
    assert run.report["error"] == told
    assert run.err == f"deidfhir: {told}\n"
    assert "PLANTED" not in run.out + run.err
    return str(told)


def scratch_id() -> str:
    """Return the id of the scratch Device of the test's own site."""
    return MappingContext("R4", load_settings(None)).namer.scratch()


def test_a_server_where_all_is_well(site: Site) -> None:
    run = site.cli("doctor", "--to", site.url, "--fhir", site.fhir, "--json")
    found = legs(run)
    assert (run.code, run.err, list(found)) == (0, "", LEGS)
    assert found.pop("tls") == ("ok", "tls-absent")
    assert found.pop("profile")[0] in ("ok", "warning")
    assert set(found.values()) == {("ok", "")}
    assert status_of(site.url, f"Device/{scratch_id()}") == 410
    again = site.cli("doctor", "--to", site.url, "--fhir", site.fhir)
    assert again.code == 0
    lines = again.out.splitlines()
    assert lines[0] == f"target      {site.url} (FHIR {site.fhir})"
    assert [one.split()[0] for one in lines[1:]] == LEGS
    assert "write       ok" in lines


def test_the_package_is_looked_for(cli: Cli, r4_site: Site) -> None:
    cli("install", "--to", r4_site.url)
    run = cli("doctor", "--to", r4_site.url, "--json")
    assert legs(run)["profile"] == ("ok", "")


def test_the_way_through_tls_a_proxy_and_a_password(r4_site: Site, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "site")
    authority.client()
    access = tmp_path / "site" / "access.toml"
    with (
        Proxy() as proxy,
        Relay(r4_site.url).secured(authority.server(clients=authority)) as relay,
    ):
        access.write_text(
            '[tls]\nca = "ca.pem"\ncertificate = "client.pem"\nkey = "key.pem"\n'
            f'[proxy]\nurl = "{proxy.url}"\n'
        )
        run = r4_site.cli("doctor", "--to", relay.url, "--access", access, "--json")
    assert run.code == 0
    assert legs(run)["tls"] == ("ok", "")
    assert proxy.asked


def test_a_host_without_a_name_is_told(cli: Cli) -> None:
    run = cli("doctor", "--to", "https://nobody.invalid/fhir", "--json")
    # Where there is no name service at all, that is what there is to say.
    code = legs(run)["dns"][1]
    assert code in ("dns-unknown", "dns-down")
    told = assert_fails(run, "dns", code, {"dns-unknown": 1, "dns-down": 5}[code])
    assert "nobody.invalid" in told


def test_a_port_without_a_server_is_told(cli: Cli, free_port: int) -> None:
    run = cli("doctor", "--to", f"http://127.0.0.1:{free_port}/fhir", "--json")
    told = assert_fails(run, "tcp", "tcp-failed", 5)
    assert f"127.0.0.1, port {free_port}, takes no connection (nothing listens)" in told


def test_a_certificate_that_is_not_trusted_is_told(r4_site: Site, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "site")
    with Relay(r4_site.url).secured(authority.server()) as relay:
        run = r4_site.cli("doctor", "--to", relay.url, "--json")
    assert_fails(run, "tls", "tls-issuer", 1)


def test_a_client_certificate_that_is_demanded_is_told(r4_site: Site, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "site")
    access = tmp_path / "site" / "access.toml"
    access.write_text('[tls]\nca = "ca.pem"\n')
    with Relay(r4_site.url).secured(authority.server(clients=authority)) as relay:
        run = r4_site.cli("doctor", "--to", relay.url, "--access", access, "--json")
    assert_fails(run, "tls", "tls-client", 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[tls]\nca = "none.pem"\n', "tls-ca"),
        ('[auth]\nkind = "bearer"\ntoken = { env = "NOT_THERE" }\n', "secret-unreadable"),
    ],
)
def test_files_and_secrets_of_the_site_come_first(
    r4_site: Site, tmp_path: Path, text: str, code: str
) -> None:
    access = tmp_path / "access.toml"
    access.write_text(text)
    run = r4_site.cli("doctor", "--to", r4_site.url, "--access", access, "--json")
    assert_fails(run, "site", code, 1)
    assert run.report["target"] == r4_site.url


def test_authorities_of_the_environment_that_are_not_there_come_first(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    run = cli("doctor", "--to", "https://nobody.invalid/fhir", "--json")
    assert_fails(run, "site", "tls-ca", 1)


def test_a_mistake_in_the_access_file_is_usage(r4_site: Site, tmp_path: Path) -> None:
    access = tmp_path / "access.toml"
    access.write_text("colour = 1\n")
    run = r4_site.cli("doctor", "--to", r4_site.url, "--access", access)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"deidfhir: {access}: colour no such key here; known: auth,")


def test_a_secret_that_would_go_by_plain_http_is_usage(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "PLANTED")
    access = tmp_path / "access.toml"
    access.write_text('[headers]\nX-Api-Key = { env = "GATEWAY_KEY" }\n')
    url = "http://fhir.invalid/fhir"
    for words in (("doctor",), ("sync", tmp_path)):
        run = cli(*words, "--to", url, "--access", access)
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith(f"deidfhir: {url} is plain HTTP")
    access.write_text(f"[auth]\nallow_http = true\n{access.read_text()}")
    assert legs(cli("doctor", "--to", url, "--access", access, "--json"))["site"] == ("ok", "")


def test_credentials_that_are_asked_for_and_refused_are_told_though_metadata_is_open(
    r4_site: Site, strict: Strict, tmp_path: Path
) -> None:
    strict.rule = lambda sent: 0 if "/metadata" in sent.path else 401
    run = r4_site.cli("doctor", "--to", strict.url, "--json")
    assert_fails(run, "auth", "credentials-demanded", 1)
    access = tmp_path / "access.toml"
    (tmp_path / "token").write_text("CANARY")
    access.write_text('[auth]\nkind = "bearer"\ntoken = { file = "token" }\n')
    run = r4_site.cli("doctor", "--to", strict.url, "--access", access, "--json")
    assert_fails(run, "auth", "bearer-refused", 1)
    assert "CANARY" not in run.out + run.err


def test_a_server_of_another_version_or_of_none_is_told(r4_site: Site, fake: FakeServer) -> None:
    run = r4_site.cli("doctor", "--to", r4_site.url, "--fhir", "R5", "--json")
    assert_fails(run, "capability", "fhir-version", 1)
    fake.metadata = lambda _: Reply(body={"resourceType": "Basic", "id": "PLANTED"})
    run = r4_site.cli("doctor", "--to", fake.url, "--json")
    assert_fails(run, "capability", "not-fhir", 1)


@pytest.mark.parametrize("kind", ["Device", "ImagingStudy", "Provenance"])
@pytest.mark.parametrize("status", [403, 404])
def test_a_type_that_may_not_be_read_is_named(
    r4_site: Site, strict: Strict, kind: str, status: int
) -> None:
    strict.rule = lambda sent: status if f"/{kind}?" in sent.path else 0
    run = r4_site.cli("doctor", "--to", strict.url, "--json")
    told = assert_fails(run, "read", "doctor-read", 1)
    assert f"does not let {kind} be read (HTTP {status})" in told


@pytest.mark.parametrize(
    ("status", "words"), [(403, "HTTP 403"), (422, "HTTP 422 business-rule"), (405, "HTTP 405")]
)
def test_a_server_that_takes_nothing_is_told(
    r4_site: Site, strict: Strict, status: int, words: str
) -> None:
    strict.rule = lambda sent: status if sent.method == "POST" else 0
    run = r4_site.cli("doctor", "--to", strict.url, "--json")
    told = assert_fails(run, "write", "doctor-write", 1)
    assert f"takes no Device in a transaction ({words}" in told


@pytest.mark.parametrize("status", [403, 405])
def test_a_server_that_refuses_to_delete_is_said(
    r4_site: Site, strict: Strict, status: int
) -> None:
    strict.rule = lambda sent: status if "DELETE Device" in sent.entries else 0
    run = r4_site.cli("doctor", "--to", strict.url, "--json")
    assert (run.code, legs(run)["write"]) == (0, ("warning", "deletion-refused"))
    assert status_of(r4_site.url, f"Device/{scratch_id()}") == 200
    # What was left behind is no obstacle, and goes when it may.
    strict.rule = lambda _: 0
    run = r4_site.cli("doctor", "--to", strict.url, "--json")
    assert legs(run)["write"] == ("ok", "")
    assert status_of(r4_site.url, f"Device/{scratch_id()}") == 410


def test_someone_elses_device_at_the_scratch_id_is_not_touched(r4_site: Site) -> None:
    device = {"resourceType": "Device", "id": scratch_id(), "manufacturer": "PLANTED"}
    put(r4_site.url, device)
    run = r4_site.cli("doctor", "--to", r4_site.url, "--json")
    assert_fails(run, "write", "doctor-scratch", 1)
    assert status_of(r4_site.url, f"Device/{scratch_id()}") == 200


def test_a_server_that_forgets_or_changes_what_it_takes_is_told(
    r4_site: Site, fake: FakeServer
) -> None:
    held: list[dict[str, Any]] = []

    def taken(sent: Sent) -> Reply:
        held[:] = [one["resource"] for one in sent.body["entry"] if "resource" in one]
        entries = [{"response": {"status": "200 OK"}} for _ in sent.body["entry"]]
        return Reply(body={"resourceType": "Bundle", "entry": entries})

    fake.transaction = taken
    run = r4_site.cli("doctor", "--to", fake.url, "--json")
    assert_fails(run, "write", "doctor-lost", 1)

    def found(sent: Sent) -> Reply:
        kept = [{"resource": {**one, "note": [{"text": "PLANTED"}]}} for one in held]
        kept = kept if "/Device?" in sent.path else []
        return Reply(body={"resourceType": "Bundle", "type": "searchset", "entry": kept})

    held.clear()
    fake.search = found
    run = r4_site.cli("doctor", "--to", fake.url, "--json")
    assert (run.code, legs(run)["write"]) == (0, ("warning", "write-changed"))
    assert legs(run)["capability"] == ("warning", "transaction-untold")
    assert legs(run)["profile"] == ("ok", "profile-absent")
    assert "PLANTED" not in run.out


def test_a_server_that_is_busy_is_for_later(r4_site: Site, fake: FakeServer) -> None:
    fake.metadata = lambda _: Reply(body=capability("4.0.1"))
    fake.search = lambda _: Reply(503, outcome())
    run = r4_site.cli("doctor", "--to", fake.url, "--timeout", "1", "--json")
    assert_fails(run, "auth", "target-busy", 5)


@pytest.mark.parametrize(("off", "words"), [(200, "ahead of"), (-200, "behind")])
def test_a_clock_that_is_wrong_is_a_warning(r4_site: Site, off: int, words: str) -> None:
    clock = Clock(now=lambda: time.time() + off)
    found = diagnose(r4_site.url, MappingContext("R4", load_settings(None)), 10.0, clock)
    (leg,) = [one for one in found.legs if one.name == "clock"]
    assert (found.exit_code, leg.state, leg.code) == (0, "warning", "clock-off")
    assert f"s {words} that of the server" in leg.text


def test_a_clock_that_is_a_little_off_is_none() -> None:
    with FakeServer() as fake:
        clock = Clock(now=lambda: time.time() + 30)
        found = diagnose(fake.url, MappingContext("R4", Settings()), 10.0, clock)
    (leg,) = [one for one in found.legs if one.name == "clock"]
    assert (leg.state, leg.code) == ("ok", "")


def test_a_folder_is_looked_at_too(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run = cli("doctor", "--to", folder, "--json")
    assert (run.code, legs(run)) == (0, {"site": ("ok", ""), "read": ("ok", "")})
    assert not folder.exists()
    folder.mkdir()
    (folder / "Device.ndjson").write_text("PLANTED\n")
    assert_fails(cli("doctor", "--to", folder, "--json"), "read", "folder-unreadable", 1)
    (folder / "Device.ndjson").write_text(json.dumps({"resourceType": "Device", "id": "a"}) + "\n")
    assert cli("doctor", "--to", folder).code == 0
    assert_fails(cli("doctor", "--to", "/dev/null/x", "--json"), "site", "folder-unwritable", 1)
