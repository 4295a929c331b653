"""What kind of server a target is, and by which mode it is written: table, statement, options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.target import Limits
from deidfhir.tables import table
from deidfhir.web.outcome import objects

PLAIN = "plain"
_WRITTEN = ("ImagingStudy", "Provenance")


class WriteMode(StrEnum):
    """How a resource is written; `mappings/server-profiles.toml` says what each word means."""

    PUT = "put"
    CONDITIONAL = "conditional"
    READ_THEN_WRITE = "read-then-write"


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """What is known of one kind of server; the table says what each fact means."""

    name: str
    title: str
    mode: WriteMode
    limits: Limits
    connections: int
    gzip: bool
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator and the journal say of a server, before it is asked.

    Args:
        profile: Name of a profile, or empty to detect it.
        mode: A write mode, or empty to choose it.
        kept: The mode by which the journal's resources were written, or empty.
    """

    profile: str = ""
    mode: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a run takes a server for.

    Args:
        profile: The profile.
        profile_by: `option`, `software`, `address`, or `default` for an unknown server.
        mode: The write mode.
        mode_by: `option`, `journal`, `statement`, `profile`, `refusal` of our ids, or
            `found`: what is ours there has ids of the server's.
    """

    profile: ServerProfile
    profile_by: str
    mode: WriteMode
    mode_by: str


@cache
def profiles() -> Mapping[str, ServerProfile]:
    """Return every profile of the table, by name."""
    return {
        name: ServerProfile(
            name=name,
            title=row["title"],
            mode=WriteMode(row["mode"]),
            limits=Limits(row["studies"], row["entries"], row["size"]),
            connections=row["connections"],
            gzip=row["gzip"],
            headers=row["headers"],
        )
        for name, row in table("server-profiles.toml").items()
    }


def expected(wishes: Wishes) -> ServerProfile:
    """Return the profile to go by until the server was asked.

    Args:
        wishes: What the operator says.
    """
    return profiles()[wishes.profile or PLAIN]


def dialect_of(statement: JsonObject, url: str, wishes: Wishes) -> Dialect:
    """Return what to take a server for.

    Args:
        statement: Its CapabilityStatement, which may lie: options stand above it.
        url: Its base URL.
        wishes: What the operator and the journal say.
    """
    name, profile_by = wishes.profile, "option"
    if not name:
        name, profile_by = _detected(statement, url)
    profile = profiles()[name]
    if wishes.mode:
        mode, mode_by = WriteMode(wishes.mode), "option"
    elif wishes.kept:
        mode, mode_by = WriteMode(wishes.kept), "journal"
    elif profile.mode is WriteMode.PUT and _all_say(statement, "updateCreate", said=False):
        mode, mode_by = by_server_ids(statement), "statement"
    else:
        mode, mode_by = profile.mode, "profile"
    return Dialect(profile, profile_by, mode, mode_by)


def by_server_ids(statement: JsonObject) -> WriteMode:
    """Return the mode for a server that gives ids itself.

    Args:
        statement: Its CapabilityStatement.
    """
    lacking = _all_say(statement, "conditionalUpdate", said=False)
    return WriteMode.READ_THEN_WRITE if lacking else WriteMode.CONDITIONAL


def _detected(statement: JsonObject, url: str) -> tuple[str, str]:
    software: Any = statement.get("software")
    given = str(software.get("name", "")) if isinstance(software, dict) else ""
    host = urlsplit(url).hostname or ""
    for name, row in table("server-profiles.toml").items():
        if given.lower().startswith(tuple(row["software"])):
            return name, "software"
    for name, row in table("server-profiles.toml").items():
        if any(fnmatch(host, one) for one in row["hosts"]):
            return name, "address"
    return PLAIN, "default"


def _all_say(statement: JsonObject, name: str, *, said: bool) -> bool:
    """Whether a statement says something of every type that we write; silence says nothing.

    HAPI, for one, says nothing of updateCreate, and can do it.
    """
    told = {
        one.get("type"): one.get(name)
        for rest in objects(statement.get("rest"))
        for one in objects(rest.get("resource"))
    }
    return all(told.get(kind) is said for kind in _WRITTEN)
