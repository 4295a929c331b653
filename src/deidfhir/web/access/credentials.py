"""What a request carries to be let in: nothing, a password, or a token that someone else issues."""

from __future__ import annotations

import threading
from base64 import b64encode
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from deidfhir.errors import FatalError
from deidfhir.web.access.secret import Secret


class Credentials(Protocol):
    """One kind of `[auth]`."""

    kind: ClassVar[str]
    """Its name in the access file."""

    @property
    def asks(self) -> bool:
        """Whether it may ask someone, who may be silent."""

    def prepare(self) -> None:
        """Look at what is on this host, and ask nobody.

        Raises:
            FatalError: A secret or a key cannot be used.
        """

    def authorisation(self) -> str | None:
        """Return the value of the header Authorization, or None if there is none.

        Raises:
            FatalError: There is none to be had until someone acts.
            RetriableError: There is none to be had for now.
        """

    def renew(self, refused: str | None) -> bool:
        """Return whether there is another value than one that the server has just refused.

        Raises:
            FatalError: There is none to be had until someone acts.
            RetriableError: There is none to be had for now.
        """


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credentials; a client certificate may still tell who asks."""

    kind: ClassVar[str] = "none"
    asks: ClassVar[bool] = False

    def prepare(self) -> None:
        """There is nothing to look at."""

    def authorisation(self) -> str | None:
        """Return nothing."""
        return None

    def renew(self, refused: str | None) -> bool:
        """There is nothing else."""
        del refused
        return False


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password (RFC 7617).

    Args:
        user: The user.
        password: The password.
    """

    user: str
    password: Secret
    kind: ClassVar[str] = "basic"
    asks: ClassVar[bool] = False

    def prepare(self) -> None:
        """Look whether the password is there."""
        self.password.reveal()

    def authorisation(self) -> str | None:
        """Return `Basic …`, in UTF-8."""
        pair = f"{self.user}:{self.password.reveal()}"
        return f"Basic {b64encode(pair.encode()).decode('ascii')}"

    def renew(self, refused: str | None) -> bool:
        """Look whether the password was changed in its place."""
        return self.authorisation() != refused


@dataclass(slots=True)
class Bearer:
    """A token that something else keeps fresh (RFC 6750).

    Args:
        token: Its place; a command is run once, and again when the server refuses the token.
    """

    token: Secret
    kind: ClassVar[str] = "bearer"
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _held: list[str] = field(default_factory=list, init=False, repr=False)

    @property
    def asks(self) -> bool:
        """Whether a command is run."""
        return self.token.kind == "command"

    def prepare(self) -> None:
        """Look whether the token is there, unless a command has to fetch it."""
        if not self.asks:
            self._header()

    def authorisation(self) -> str | None:
        """Return `Bearer …`."""
        with self._lock:
            if not self._held:
                self._held.append(self._header())
            return self._held[0]

    def renew(self, refused: str | None) -> bool:
        """Look for a new token in its place, once for all threads that were refused."""
        with self._lock:
            if self._held == [refused]:
                self._held[0] = self._header()
            return self._held != [refused]

    def _header(self) -> str:
        return f"Bearer {sendable(self.token)}"


def sendable(secret: Secret) -> str:
    """Return a secret that goes into a header.

    Raises:
        FatalError: `secret-unreadable`: it cannot go into a header.
    """
    text = secret.reveal().strip()
    if not text or not text.isascii() or not text.isprintable():
        problem = "not of printable ASCII"
        raise FatalError("secret-unreadable", origin=secret.origin, problem=problem)
    return text
