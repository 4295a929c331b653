"""The access file: every example of its page, and every mistake with file and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deidfhir.errors import FatalError, UsageError
from deidfhir.tables import table
from deidfhir.web.access.access import Access
from deidfhir.web.access.loading import Toward, load_access
from deidfhir.web.access.secret import Secret
from deidfhir.web.timing import Clock

PAGE = Path(__file__).resolve().parents[3] / "docs" / "access.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SECRET = 'takes { file = "PATH" } or { env = "VARIABLE" }: no secret stands in this file'  # noqa: S105


def loaded(path: Path, text: str) -> Access:
    """Return what an access file of some text decides."""
    path.write_text(text, encoding="utf-8")
    return load_access(str(path), Toward("https://fhir.example/fhir", 5.0, Clock()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of an access file."""
    return tmp_path / "access.toml"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_taken(path: Path, example: str) -> None:
    access = loaded(path, example)
    told = re.search(r'kind = "(\w+)"', example)
    kinds = {"smart": "oauth2", "azure": "cloud", "google": "cloud"}
    wanted = told[1] if told else "none"
    assert access.credentials.kind == kinds.get(wanted, wanted)


def test_the_examples_show_every_kind() -> None:
    kinds = {found for one in EXAMPLES for found in re.findall(r'kind = "(\w+)"', one)}
    assert kinds == {"none", "basic", "bearer", "oauth2", "smart", "azure", "google"}


def test_the_page_tells_every_leg_of_doctor_and_what_it_may_fail_with() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [one for one in table("doctor.toml")["server"] if f"\n| `{one}` |" not in page] == []
    ours = ("tls-", "dns-", "tcp-", "proxy-", "doctor-", "token-", "discovery-", "bearer-")
    codes = [one for one in table("errors.toml") if one.startswith(ours)]
    assert len(codes) > 20
    assert [one for one in codes if f"`{one}`" not in page] == []


def test_without_a_file_there_are_no_credentials() -> None:
    access = load_access("", Toward("https://fhir.example", 5.0, Clock()))
    assert (access.credentials.kind, access.headers()) == ("none", {})


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("colour = 1", "colour", "no such key here; known: auth, tls, proxy, headers"),
        ("auth = 1", "auth", "takes a table: [auth]"),
        (
            '[auth]\nkind = "digest"',
            "auth.kind",
            "takes none or basic or bearer or oauth2 or smart or azure or google",
        ),
        (
            '[auth]\nkind = "none"\nuser = "a"',
            "auth.user",
            "no such key here; known: allow_http, kind",
        ),
        ('[auth]\nallow_http = "yes"', "auth.allow_http", "takes true or false"),
        ('[auth]\nkind = "basic"', "auth.user", "takes a text of one line"),
        ('[auth]\nkind = "basic"\nuser = "a:b"', "auth.user", "takes a name without a colon"),
        ('[auth]\nkind = "basic"\nuser = "a"', "auth.password", SECRET),
        ('[auth]\nkind = "basic"\nuser = "a"\npassword = "PLANTED"', "auth.password", SECRET),
        (
            '[auth]\nkind = "basic"\nuser = "a"\npassword = { command = ["x"] }',
            "auth.password",
            SECRET,
        ),
        (
            '[auth]\nkind = "basic"\nuser = "a"\npassword = { file = "x", env = "Y" }',
            "auth.password",
            SECRET,
        ),
        (
            '[auth]\nkind = "basic"\nuser = "a"\npassword = { env = "DEIDFHIR_PASSWORD" }',
            "auth.password",
            "takes a variable that does not begin with DEIDFHIR_",
        ),
        (
            '[auth]\nkind = "bearer"\ntoken = { command = "az token" }',
            "auth.token",
            (
                'takes { file = "PATH" } or { env = "VARIABLE" } or '
                '{ command = ["PROGRAM", "WORD"] }: no secret stands in this file'
            ),
        ),
        (
            '[auth]\nkind = "oauth2"\ntoken_url = "http://login.example/token"',
            "auth.token_url",
            "takes an https URL without credentials (http on this host)",
        ),
        (
            '[auth]\nkind = "oauth2"\ntoken_url = "https://a:PLANTED@login.example/token"',
            "auth.token_url",
            "takes an https URL without credentials (http on this host)",
        ),
        (
            (
                '[auth]\nkind = "oauth2"\ntoken_url = "http://127.0.0.1/t"\nclient_id = "a"\n'
                'client_secret = { env = "A" }\nmethod = "private_key_jwt"'
            ),
            "auth.method",
            "takes client_secret_basic or client_secret_post",
        ),
        (
            '[auth]\nkind = "azure"',
            "auth.scope",
            'is missing, such as ["https://fhir.example/.default"]',
        ),
        (
            '[auth]\nkind = "smart"\nclient_id = "PLANTED ä"',
            "auth.client_id",
            "takes ASCII text",
        ),
        (
            '[auth]\nkind = "smart"\nclient_id = "a"\nkey = { file = "a" }\nalgorithm = "RS256"',
            "auth.algorithm",
            "takes RS384 or ES384",
        ),
        (
            '[auth]\nkind = "smart"\nclient_id = "a"\nkey = { file = "a" }\nscope = "a b"',
            "auth.scope",
            'takes a list of scopes, such as ["system/Device.cruds"]',
        ),
        (
            "[tls]\nverify = false",
            "tls.verify",
            "no such key here; known: ca, certificate, key, key_password",
        ),
        ('[tls]\nca = ""', "tls.ca", "takes a text of one line"),
        (
            '[tls]\nkey = "a"',
            "tls.certificate",
            "is missing: key and key_password belong to one",
        ),
        (
            '[proxy]\nurl = "http://user:PLANTED@proxy.example"',
            "proxy.url",
            "takes http://HOST:PORT or https://HOST:PORT without credentials, or direct",
        ),
        (
            '[proxy]\nurl = "direct"\npassword = { env = "A" }',
            "proxy.user",
            "is missing: password belongs to one",
        ),
        (
            '[headers]\nAuthorization = "PLANTED"',
            "headers.Authorization",
            "is what [auth] makes: use kind basic or bearer there",
        ),
        ('[headers]\nIf-Match = "PLANTED"', "headers.If-Match", "is set by deidfhir itself"),
        ('[headers]\nX-Api-Key = "PLANTED"', "headers.X-Api-Key", SECRET),
        ('[headers]\n"X Y" = "PLANTED"', "headers.X Y", "is no name of a header"),
        (
            '[headers]\nX-Tenant = "PLANTED ä"',
            "headers.X-Tenant",
            "takes ASCII text, without spaces around it",
        ),
        ('[headers]\nX-Tenant = "a\\nb"', "headers.X-Tenant", "takes a text of one line"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_what_it_takes(
    path: Path, text: str, key: str, problem: str
) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(path, text)
    assert str(caught.value) == f"{path}: {key} {problem}"
    assert "PLANTED" not in repr(caught.value) + str(caught.value.details)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("auth = {", "is no TOML")]
)
def test_a_file_that_cannot_be_read_is_told(path: Path, content: str | None, words: str) -> None:
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=words):
        load_access(str(path), Toward("https://fhir.example", 5.0, Clock()))


def test_paths_are_from_the_folder_of_the_access_file_on(path: Path) -> None:
    access = loaded(path, '[tls]\nca = "ca.pem"\ncertificate = "/etc/client.pem"\n')
    assert access.connection.ca == str(path.with_name("ca.pem"))
    assert access.connection.certificate == "/etc/client.pem"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (Secret("file", ("{}/none",)), "the file {}/none, which the access file names, gives no"),
        (Secret("file", ("{}",)), "is a directory"),
        (Secret("file", ("{}/empty",)), "empty"),
        (Secret("file", ("{}/bytes",)), "no UTF-8"),
        (Secret("env", ("NOT_THERE",)), "the variable NOT_THERE, which"),
        (Secret("command", ("false", "PLANTED")), "the command false, which the access file names"),
        (Secret("command", ("false", "PLANTED")), "ended with 1"),
        (Secret("command", ("/no/such/thing", "PLANTED")), "no such file or directory"),
        (Secret("command", ("true",)), "empty"),
    ],
)
def test_a_secret_that_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, secret: Secret, words: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"PLANTED\xff")
    source = tuple(one.replace("{}", str(tmp_path)) for one in secret.source)
    with pytest.raises(FatalError) as caught:
        Secret(secret.kind, source).reveal()
    assert words.replace("{}", str(tmp_path)) in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert "PLANTED" not in repr(error)
        error = error.__cause__ or error.__context__


def test_no_object_of_an_access_shows_a_secret(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "PLANTED")
    for text in (
        '[auth]\nkind = "basic"\nuser = "a"\npassword = { env = "A_SECRET" }\n',
        '[auth]\nkind = "bearer"\ntoken = { env = "A_SECRET" }\n',
        (
            '[headers]\nX-Key = { env = "A_SECRET" }\n[proxy]\nurl = "http://p.example"\n'
            'user = "a"\npassword = { env = "A_SECRET" }\n'
        ),
    ):
        access = loaded(path, text)
        access.headers()
        access.session()
        assert "PLANTED" not in repr(access)


BASIC = '[auth]\nkind = "basic"\nuser = "a"\npassword = { env = "WORD" }\n'
KEYED = '[headers]\nX-Api-Key = { env = "WORD" }\n'


def toward(url: str) -> Toward:
    """Return a server of some base URL."""
    return Toward(url, 5.0, Clock())


@pytest.mark.parametrize("text", [BASIC, KEYED], ids=["credentials", "header"])
@pytest.mark.parametrize("url", ["http://fhir.example/fhir", "HTTP://10.0.0.7:8080"])
def test_nothing_secret_goes_by_plain_http_unless_the_site_says_so(
    path: Path, text: str, url: str
) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load_access(str(path), toward(url))
    assert raised.value.code == "access-plain-http"
    assert "allow_http = true" in str(raised.value)
    allowed = f"{text}allow_http = true" if text is BASIC else f"[auth]\nallow_http = true\n{text}"
    path.write_text(allowed, encoding="utf-8")
    assert load_access(str(path), toward(url)).is_secret


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (BASIC, "https://fhir.example/fhir"),
        (BASIC, "http://localhost:8080/fhir"),
        (KEYED, "http://127.0.0.1/fhir"),
        (KEYED, "http://[::1]:8080/fhir"),
        ("", "http://fhir.example/fhir"),
        ('[headers]\nX-Tenant = "radiology"', "http://fhir.example/fhir"),
    ],
)
def test_what_is_not_secret_or_stays_here_or_goes_by_tls_is_sent(
    path: Path, text: str, url: str
) -> None:
    path.write_text(text, encoding="utf-8")
    load_access(str(path), toward(url))
