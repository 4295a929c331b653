"""Unique identifiers (PS3.5 9.1), and what passes for one (D23)."""

from __future__ import annotations

import re

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_USABLE = re.compile(r"[0-9A-Fa-f.\-]{1,64}")


def is_oid(uid: str) -> bool:
    """Whether a UID has the form of PS3.5 9.1."""
    return len(uid) <= 64 and _OID.fullmatch(uid) is not None


def is_usable(uid: str) -> bool:
    """Whether a UID can be sent as it is: an OID, or only hex digits, dots and hyphens."""
    return _USABLE.fullmatch(uid) is not None
