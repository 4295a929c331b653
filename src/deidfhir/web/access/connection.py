"""TLS and proxy of a site, as sessions that keep to them whatever the environment says."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import select_proxy

from deidfhir.errors import FatalError
from deidfhir.web.access.secret import Secret

DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that all requests go through.

    Args:
        url: `http://host:port` or `https://host:port`; `direct` for none, whatever the environment
            says.
        user: If the proxy asks for one.
        password: Of the user.
    """

    url: str
    user: str = ""
    password: Secret | None = None

    def for_requests(self) -> dict[str, str]:
        """Return the proxy as requests takes it, with its credentials."""
        if self.url == DIRECT:
            return {}
        parts = urlsplit(self.url)
        word = f":{quote(self.password.reveal(), safe='')}" if self.password is not None else ""
        who = f"{quote(self.user, safe='')}{word}@" if self.user else ""
        return dict.fromkeys(("http", "https"), f"{parts.scheme}://{who}{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Connection:
    """How connections are made.

    Args:
        ca: File of the authorities that are trusted, in place of those of the installation.
        certificate: File of the client's certificate with its chain, for mTLS.
        key: File of its private key; None if it stands in the same file.
        key_password: What the key is encrypted with.
        proxy: The proxy; None for what the environment says.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: Secret | None = None
    proxy: Proxy | None = None

    def session(self) -> requests.Session:
        """Return a session for one thread.

        Raises:
            FatalError: `tls-ca`, `tls-certificate` or `secret-unreadable`: a file cannot be used.
        """
        if self.ca or self.certificate:
            self.context()
        return _Session(self)

    def context(self) -> ssl.SSLContext:
        """Return what a TLS connection is made with, once the site's files have proved usable.

        Raises:
            FatalError: `tls-ca`, `tls-certificate` or `secret-unreadable`.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError:  # ssl.SSLError is one
            usable = False
        else:
            usable = True
        if not usable:
            raise FatalError("tls-ca", path=self.ca)
        if self.certificate:
            password = self.key_password.reveal() if self.key_password is not None else ""
            try:
                # A function: without one, OpenSSL asks the terminal for the password and waits.
                context.load_cert_chain(self.certificate, self.key, lambda: password)
            except OSError:
                usable = False
            if not usable:
                raise FatalError("tls-certificate", path=self.key or self.certificate)
        return context

    def prepare(self, url: str) -> None:
        """Look whether the files are of use that connections to an address are made with.

        Args:
            url: The address.

        Raises:
            FatalError: `tls-ca`, `tls-certificate` or `secret-unreadable`.
        """
        with self.session() as session:
            settings = session.merge_environment_settings(url, {}, None, None, None)
        bundle = settings["verify"]
        if self.ca or not isinstance(bundle, str) or not url.lower().startswith("https:"):
            return
        # The environment's: a file, or a folder of them.
        file, folder = (None, bundle) if Path(bundle).is_dir() else (bundle, None)
        try:
            ssl.create_default_context(cafile=file, capath=folder)
        except OSError:
            usable = False
        else:
            usable = True
        if not usable:
            raise FatalError("tls-ca", path=bundle)

    def proxy_for(self, url: str) -> str | None:
        """Return the URL of the proxy for some address, with its credentials, if there is one."""
        with self.session() as session:
            settings = session.merge_environment_settings(url, {}, None, None, None)
        return select_proxy(url, settings["proxies"])


class _Session(requests.Session):
    """A session whose trust, certificate and proxy stand above those of the environment."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._proxies = connection.proxy.for_requests() if connection.proxy else None
        # Else requests would take the credentials of a .netrc.
        self.auth = _Nobody()
        if connection.certificate:
            key = connection.key
            self.cert = (connection.certificate, key) if key else connection.certificate
        if connection.key_password is not None:
            self.mount("https://", _Adapter(connection.key_password.reveal()))

    def merge_environment_settings(self, url: Any, proxies: Any, *given: Any) -> Any:  # noqa: ANN401
        """Return what holds for one request; requests itself lets the environment win."""
        settings: dict[str, Any] = dict(
            super().merge_environment_settings(url, dict(proxies or {}), *given)
        )
        if self._proxies is not None:
            settings["proxies"] = dict(self._proxies)
        if self._connection.ca:
            settings["verify"] = self._connection.ca
        return settings


class _Nobody(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Adapter(HTTPAdapter):
    """Opens an encrypted key, which requests alone cannot."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self._password = password

    def build_connection_pool_key_attributes(self, *given: Any) -> Any:  # noqa: ANN401
        """Return what tells connections apart, with the password of the key."""
        host, pool = super().build_connection_pool_key_attributes(*given)
        return host, {**pool, "key_password": self._password}
