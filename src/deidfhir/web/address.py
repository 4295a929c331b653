"""Addresses: which can be used, how they are shown, and where a secret may be sent."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url


def is_usable_url(url: str) -> bool:
    """Whether a URL is one that requests can be sent to."""
    try:
        requests.Request("GET", url).prepare()
        parts = urlsplit(url)
        return bool(parse_url(url).host) and parts.port != 0 and not (parts.query or parts.fragment)
    except (ValueError, HTTPError, requests.exceptions.RequestException):
        return False


def without_credentials(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def below(base_url: str, path: str) -> str | None:
    """Return the address of a path below a base URL, or None if it is on another server.

    Args:
        base_url: FHIR base URL.
        path: What follows it, with its query.
    """
    base = base_url.rstrip("/")
    url = base + path
    try:
        # By the parser that connections are made by.
        same = parse_url(url)[:4] == parse_url(base)[:4]
    except HTTPError:
        return None
    return url if same and path[:1] in ("", "/", "?") else None


def is_safe(url: str) -> bool:
    """Whether a secret may be sent to an address: by TLS, or not beyond this host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = bool(host) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    if parts.scheme == "http":
        return usable and is_loopback(host)
    return usable and parts.scheme == "https"


def is_loopback(host: str) -> bool:
    """Whether a host is this one, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
