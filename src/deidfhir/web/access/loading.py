"""A site's access file → how requests are made; mistakes are told with file and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from deidfhir.config import read_toml
from deidfhir.errors import UsageError
from deidfhir.tables import table
from deidfhir.web.access.access import Access, revealed
from deidfhir.web.access.applicationdefault import application_default
from deidfhir.web.access.connection import DIRECT, Connection, Proxy
from deidfhir.web.access.credentials import Anonymous, Basic, Bearer, Credentials
from deidfhir.web.access.discovery import discovered
from deidfhir.web.access.entra import entra
from deidfhir.web.access.entries import Entries
from deidfhir.web.access.keys import NEEDED
from deidfhir.web.access.oauth import METHODS, Endpoint, with_secret
from deidfhir.web.access.secret import Secret
from deidfhir.web.access.smart import SCOPE, SmartClient
from deidfhir.web.address import is_safe, without_credentials
from deidfhir.web.timing import Clock

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
# What requests carry by themselves: a site's own would change what they mean.
_OURS = frozenset(
    {
        *(
            "accept",
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
        ),
        *("host", "if-match", "if-none-exist", "if-none-match", "prefer", "proxy-authorization"),
        *("te", "trailer", "transfer-encoding", "upgrade", "x-meta-snapshot-mode"),
    }
)
_SECRET_NAME = re.compile(r"key|token|secret|passw|auth|cookie|signature|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Toward:
    """The server that access is sought to.

    Args:
        base_url: FHIR base URL.
        timeout: Seconds for one request.
        clock: The time.
    """

    base_url: str
    timeout: float
    clock: Clock


def load_access(path: str, toward: Toward) -> Access:
    """Return what an access file decides, or the default without one; no secret is read yet.

    Args:
        path: A TOML file; docs/access.md describes its keys. Empty for none.
        toward: The server.

    Raises:
        UsageError: `access-unreadable`, `access-form`, `access-entry` or `access-plain-http`.
    """
    if not path:
        return Access()
    content = read_toml(Path(path), unreadable="access-unreadable", form="access-form")
    top = Entries(Path(path), "", content)
    auth, tls, proxy = top.table("auth"), top.table("tls"), top.table("proxy")
    extra = _headers(top.table("headers"))
    top.done()
    connection = _connection(tls, _proxy(proxy) if "proxy" in top else None)
    is_open = auth.truth("allow_http")
    access = Access(_credentials(auth, connection, extra, toward), connection, extra)
    if access.is_secret and not (is_open or is_safe(toward.base_url)):
        raise UsageError("access-plain-http", url=without_credentials(toward.base_url))
    return access


def _connection(tls: Entries, proxy: Proxy | None) -> Connection:
    ca, certificate, key = tls.file("ca"), tls.file("certificate"), tls.file("key")
    password = tls.optional_secret("key_password")
    tls.done()
    if certificate is None and (key or password):
        raise tls.fault("certificate", "is missing: key and key_password belong to one")
    return Connection(ca, certificate, key, password, proxy)


def _proxy(proxy: Entries) -> Proxy:
    wanted = f"takes http://HOST:PORT or https://HOST:PORT without credentials, or {DIRECT}"
    url = proxy.text("url")
    user = proxy.text("user", "")
    password = proxy.optional_secret("password")
    proxy.done()
    if password is not None and not user:
        raise proxy.fault("user", "is missing: password belongs to one")
    if url != DIRECT and not _is_proxy(url):
        raise proxy.fault("url", wanted)
    return Proxy(url, user, password)


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    bare = "@" not in parts.netloc and not (parts.path.strip("/") or parts.query or parts.fragment)
    return usable and bare and parts.scheme in ("http", "https")


def _headers(headers: Entries) -> dict[str, str | Secret]:
    found: dict[str, str | Secret] = {}
    for name in headers.keys():  # noqa: SIM118 - it is no mapping
        if not _NAME.fullmatch(name):
            raise headers.fault(name, "is no name of a header")
        if name.lower() == "authorization":
            raise headers.fault(name, "is what [auth] makes: use kind basic or bearer there")
        if name.lower() in _OURS:
            raise headers.fault(name, "is set by deidfhir itself")
        if _SECRET_NAME.search(name) or headers.is_table(name):
            found[name] = headers.secret(name)
            continue
        text = headers.text(name)
        if not text.isascii() or text != text.strip():
            raise headers.fault(name, "takes ASCII text, without spaces around it")
        found[name] = text
    return found


def _credentials(
    auth: Entries, connection: Connection, extra: dict[str, str | Secret], toward: Toward
) -> Credentials:
    kind = auth.choice("kind", tuple(_KINDS), Anonymous.kind)
    made = _KINDS[kind](auth, connection, extra, toward)
    auth.done()
    return made


def _anonymous(*_: object) -> Credentials:
    return Anonymous()


def _basic(auth: Entries, *_: object) -> Credentials:
    user = auth.text("user")
    if ":" in user:
        raise auth.fault("user", "takes a name without a colon")
    return Basic(user, auth.secret("password"))


def _bearer(auth: Entries, *_: object) -> Credentials:
    return Bearer(auth.secret("token", command=True))


def _oauth2(auth: Entries, connection: Connection, _: object, toward: Toward) -> Credentials:
    return with_secret(
        Endpoint(_token_url(auth), connection, toward.clock, toward.timeout),
        _client_id(auth),
        auth.secret("client_secret"),
        auth.choice("method", METHODS, METHODS[0]),
        auth.scope("scope", ""),
    )


def _smart(
    auth: Entries, connection: Connection, extra: dict[str, str | Secret], toward: Toward
) -> Credentials:
    client = SmartClient(
        _client_id(auth),
        auth.secret("key"),
        auth.choice("algorithm", tuple(NEEDED), "RS384"),
        auth.text("kid", ""),
        auth.scope("scope", SCOPE),
    )
    given = _token_url(auth, "")

    @cache
    def endpoint() -> Endpoint:
        url = given or discovered(toward.base_url, connection, toward.timeout, revealed(extra))
        return Endpoint(url, connection, toward.clock, toward.timeout)

    return client.credentials(endpoint, toward.clock)


def _azure(auth: Entries, _: object, __: object, toward: Toward) -> Credentials:
    scope = auth.scope("scope", "")
    if not scope:
        raise auth.fault("scope", 'is missing, such as ["https://fhir.example/.default"]')
    return entra(scope, without_credentials(toward.base_url), toward.clock)


def _google(auth: Entries, _: object, __: object, toward: Toward) -> Credentials:
    scope = auth.scope("scope", table("clouds.toml")["google"]["scope"])
    return application_default(scope, without_credentials(toward.base_url), toward.clock)


def _client_id(auth: Entries) -> str:
    found = auth.text("client_id")
    if not found.isascii():
        raise auth.fault("client_id", "takes ASCII text")  # RFC 6749 A.1
    return found


def _token_url(auth: Entries, otherwise: str | None = None) -> str:
    url = auth.text("token_url", otherwise)
    if url and not is_safe(url):
        raise auth.fault("token_url", "takes an https URL without credentials (http on this host)")
    return url


_KINDS: dict[str, Callable[[Entries, Connection, dict[str, str | Secret], Toward], Credentials]] = {
    "none": _anonymous,
    "basic": _basic,
    "bearer": _bearer,
    "oauth2": _oauth2,
    "smart": _smart,
    "azure": _azure,
    "google": _google,
}
