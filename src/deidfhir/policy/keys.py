"""A site's key, and what is made with it: HMAC (RFC 2104) over names, never shown, never stored."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deidfhir.errors import UsageError

SHORTEST = 32
"""Bytes that a key has at least: as many as the digest (RFC 2104 3)."""
_FEWEST = 8  # different bytes: hexadecimal digits at random have nearly all sixteen


@dataclass(frozen=True, slots=True)
class Key:
    """A secret of the site; without it, nobody makes or tests the values made with it.

    Args:
        secret: Its bytes.
    """

    secret: bytes = field(repr=False)

    def digest(self, name: str) -> bytes:
        """Return 32 bytes that stand for a name.

        Args:
            name: Says what is named, too: the same text of two kinds gives two digests.
        """
        return hmac.new(self.secret, name.encode("utf-8", "surrogatepass"), sha256).digest()

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell keys apart and tell nothing of the key."""
        return self.digest("deidfhir key fingerprint").hex()[:16]


def load_key(path: str) -> Key:
    """Return the key of a file: all its bytes, but for a line end after a longer key.

    Args:
        path: The file.

    Raises:
        UsageError: `key-unreadable`, `key-short` or `key-weak`.
    """
    secret = _read(path)
    if secret is None:
        # Without the path: whoever gave the key in its place must not find it in a log.
        raise UsageError("key-unreadable")
    if len(secret) < SHORTEST:
        raise UsageError("key-short", path=path, least=SHORTEST)
    if len(set(secret)) < _FEWEST:
        raise UsageError("key-weak", path=path)
    return Key(secret)


def _read(path: str) -> bytes | None:
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError):
        return None
    return content.rstrip(b"\r\n") if len(content) > SHORTEST else content
