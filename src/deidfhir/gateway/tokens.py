"""Who may ask: bearer tokens of a file (RFC 6750), compared in constant time."""

from __future__ import annotations

import hmac
import re
import stat
from hashlib import sha256
from pathlib import Path

from deidfhir.errors import UsageError

_LEAST = 16
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{_LEAST},}}=*")  # RFC 6750 2.1
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +(\S+) *")


class Tokens:
    """The tokens of a file, read anew when the file has changed.

    A file that can no longer be read, or holds something else, lets nobody in.

    Args:
        path: One token a line; empty lines and those that begin with `#` are passed over.

    Raises:
        UsageError: `token-file` or `token-form`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _state(path)
        self._digests = _digests(path)

    @property
    def is_shared(self) -> bool:
        """Whether others than its owner may read the file."""
        try:
            return bool(stat.S_IMODE(self._path.stat().st_mode) & 0o077)
        except OSError:
            return False

    @property
    def is_usable(self) -> bool:
        """Whether any token lets in."""
        self._refresh()
        return bool(self._digests)

    def admits(self, authorization: str) -> bool:
        """Whether a header Authorization holds one of the tokens.

        Args:
            authorization: Its value, or an empty text.
        """
        self._refresh()
        match = _BEARER.fullmatch(authorization)
        given = sha256((match[1] if match else "").encode("utf-8", "replace")).digest()
        found = [hmac.compare_digest(given, one) for one in self._digests]  # all, always
        return match is not None and any(found)

    def _refresh(self) -> None:
        state = _state(self._path)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._digests = _digests(self._path)
        except UsageError:
            self._digests = ()


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digests(path: Path) -> tuple[bytes, ...]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError:
        raise UsageError("gateway-token-form", path=path, least=_LEAST) from None
    except (OSError, ValueError) as error:
        raise UsageError("gateway-token-file", path=path) from error
    tokens = [one for line in lines if (one := line.strip()) and not one.startswith("#")]
    if not tokens or not all(_TOKEN.fullmatch(one) for one in tokens):
        raise UsageError("gateway-token-form", path=path, least=_LEAST)
    return tuple(sha256(one.encode()).digest() for one in tokens)
