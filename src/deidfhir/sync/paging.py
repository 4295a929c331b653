"""Where the next page of a search is: below our own base URL, whatever name the server has."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:%-]+)*")
_OF_HAPI = re.compile(r"(^|&)_getpages=")
"""HAPI's pages have no path but the base of the server, as the server knows it."""


def next_path(base_url: str, asked: str, link: str, kind: str) -> str | None:
    """Return what follows the base URL for the next page, or None if it is not below it.

    A server behind a proxy names itself otherwise than we do. Whatever a link says, what is asked
    next, and so what is shown our credentials, is the server of the base URL.

    Args:
        base_url: Ours.
        asked: What followed it for the page that has the link.
        link: The link's URL, which may be relative.
        kind: The resource type that is searched.
    """
    base = base_url.rstrip("/")
    try:
        own, found = urlsplit(base), urlsplit(urljoin(base + asked, link))
        path = _below(own, found, kind, is_ours=_origin(own) == _origin(found))
    except ValueError:
        return None
    if path is None or not _PATH.fullmatch(path) or not (path or found.query):
        return None
    if any(one in (".", "..") or {"/", "\\"} & set(one) for one in _segments(path)):
        return None
    return f"{path}?{found.query}" if found.query else path


def _below(own: SplitResult, found: SplitResult, kind: str, *, is_ours: bool) -> str | None:
    """Return what of a path comes after the base of whoever it is named by."""
    base, path = own.path.rstrip("/"), found.path.rstrip("/")
    if found.scheme not in ("http", "https"):
        return None
    if base and (path == base or path.startswith(f"{base}/")):
        return path.removeprefix(base)
    _, typed, after = path.rpartition(f"/{kind}")
    if typed and after[:1] in ("", "/"):
        return typed + after
    if not base and (is_ours or not path):
        return path
    return "" if _OF_HAPI.search(found.query) else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    default = {"http": 80, "https": 443}.get(parts.scheme)
    # A name before the host is a trick, not another way to say the same.
    host = None if "@" in parts.netloc else parts.hostname
    return parts.scheme, host, parts.port or default


def _segments(path: str) -> list[str]:
    return [unquote(one) for one in path.split("/")]
