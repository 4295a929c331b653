"""The private key that signs a SMART assertion: PEM or JWK, as the algorithm needs it."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deidfhir.errors import FatalError
from deidfhir.web.access.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import Key

# HL7 SMART App Launch 2.2, Client Authentication: Asymmetric. RFC 7518 3.3: 2048 bits at least.
NEEDED = {"RS384": "an RSA key of at least 2048 bits", "ES384": "an EC key on the curve P-384"}
_LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, fit for its algorithm.

    Args:
        key: The key.
        kid: Its id in the key set that the server knows; empty for none.
    """

    key: Key = field(repr=False)
    kid: str


def signing_key(secret: Secret, algorithm: str, kid: str) -> SigningKey:
    """Return the key that a secret holds.

    Args:
        secret: Its place: PEM, or a JWK of JSON.
        algorithm: RS384 or ES384.
        kid: Its id as the access file has it; if empty, that of the JWK.

    Raises:
        FatalError: `secret-unreadable` or `key-kind`.
    """
    key = _imported(secret.reveal())
    if key is None or not _fits(key, algorithm):
        raise FatalError(
            "key-kind", origin=secret.origin, algorithm=algorithm, needed=NEEDED[algorithm]
        )
    return SigningKey(key, kid or str(key.kid or ""))


def _imported(text: str) -> Key | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of weak keys, which are refused below
        return _first_of(text)


def _first_of(text: str) -> Key | None:
    from joserfc.errors import JoseError  # noqa: PLC0415 - an extra, loaded where it is used
    from joserfc.jwk import ECKey, RSAKey, import_key  # noqa: PLC0415

    try:
        if text.lstrip().startswith("{"):
            return import_key(json.loads(text))
    except (ValueError, TypeError, KeyError, JoseError):
        return None
    for kind in (RSAKey, ECKey):
        try:
            return kind.import_key(text)
        except (ValueError, TypeError, JoseError):
            continue
    return None


def _fits(key: Key, algorithm: str) -> bool:
    private: Any = getattr(key, "private_key", None)
    if not private:
        return False
    if algorithm == "ES384":
        return key.key_type == "EC" and getattr(key, "curve_name", "") == "P-384"
    return key.key_type == "RSA" and private.key_size >= _LEAST_BITS
