"""Certificates made for one test: an authority, servers and clients, good ones and bad ones."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Client:
    """The files of a client's certificate."""

    certificate: Path
    key: Path
    encrypted_key: Path


class Authority:
    """Issues certificates and writes their files into one folder."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def server(
        self,
        host: str = "127.0.0.1",
        *,
        days: tuple[int, int] = (-1, 9),
        clients: Authority | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        """Return the TLS of a server.

        Args:
            host: Whom the certificate is for.
            days: From when to when it is good, counted from now.
            clients: Who must have issued the clients' certificates, if they must show one.
            newest: The newest version of TLS that it speaks.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._issued(host, days).configure_cert(context)
        context.maximum_version = newest
        if clients is not None:
            context.load_verify_locations(clients.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, password: str = "", *, days: tuple[int, int] = (-1, 9)) -> Client:
        """Return the files of a client; one of its keys is encrypted if there is a password."""
        made = self._issued("client@site.example", days)
        files = Client(*(self._folder / name for name in ("client.pem", "key.pem", "locked.pem")))
        files.certificate.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
        made.private_key_pem.write_to_path(files.key)
        if password:
            key = load_pem_private_key(made.private_key_pem.bytes(), None)
            lock = BestAvailableEncryption(password.encode())
            files.encrypted_key.write_bytes(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
            )
        return files

    def host(self, name: str) -> Client:
        """Return the files of a server that is a process of its own."""
        made = self._issued(name, (-1, 9))
        files = Client(*(self._folder / one for one in ("host.pem", "host-key.pem", "")))
        files.certificate.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
        made.private_key_pem.write_to_path(files.key)
        return files

    def _issued(self, identity: str, days: tuple[int, int]) -> trustme.LeafCert:
        now = datetime.datetime.now(datetime.UTC)
        begin, end = (now + one * _DAY for one in days)
        return self._authority.issue_cert(identity, not_before=begin, not_after=end)
