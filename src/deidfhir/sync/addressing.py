"""Where a resource of ours is on a server: at our id, or at one that the server gave it.

All else of the program knows our ids alone; what is read comes with them, what is written leaves
with the server's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.reading import Reader
from deidfhir.web.numbers import Text, spelled

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # others' ids need be none


class Addressing(Protocol):
    """How resources of ours are found and written."""

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by our id; those that are not there are left out."""

    def recall(self, names: Iterable[str]) -> None:
        """Keep in the journal what was learned, and learn from it which id some names have.

        By the thread that owns the journal alone.
        """

    def recognise(self, resources: Iterable[JsonObject]) -> None:
        """Learn from the journal which resources of the server are ours; as `recall`."""

    def received(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return what a server sent, as ours are stated."""

    def on_server(self, names: Iterable[str]) -> list[str]:
        """Return the server's references of those of ours that it has."""

    def has_more_than(self, puts: list[JsonObject]) -> bool:
        """Whether the server has something of some studies that was not read before."""

    def entries(
        self, puts: list[JsonObject], deletes: Iterable[str], versions: Mapping[str, str]
    ) -> list[JsonObject]:
        """Return the entries of a transaction: those of `puts` first, in order."""

    def answered(
        self, puts: list[JsonObject], deletes: Iterable[str], answers: list[JsonObject]
    ) -> None:
        """Learn from the entries of the answer to a transaction."""


@dataclass(frozen=True, slots=True)
class ByOurIds:
    """Every resource is at its own id.

    Args:
        reader: Reads from the server.
    """

    reader: Reader

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id."""
        return {one["id"]: one for one in self.reader.search(kind, "_id", ids)}

    def recall(self, names: Iterable[str]) -> None:
        """Keep nothing."""

    def recognise(self, resources: Iterable[JsonObject]) -> None:
        """Learn nothing."""

    def received(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return what a server sent, as it is."""
        return list(resources)

    def on_server(self, names: Iterable[str]) -> list[str]:
        """Return the names: whether they are there is not known."""
        return list(names)

    def has_more_than(self, puts: list[JsonObject]) -> bool:  # noqa: ARG002
        """Say no: what is at our ids was read there."""
        return False

    def entries(
        self, puts: list[JsonObject], deletes: Iterable[str], versions: Mapping[str, str]
    ) -> list[JsonObject]:
        """Return the entries of a transaction: PUT and DELETE by id."""
        written = [
            {
                **({"fullUrl": f"urn:uuid:{one['id']}"} if _UUID.fullmatch(one["id"]) else {}),
                "resource": Text(spelled(one)),
                "request": put_request(reference(one), versions.get(reference(one))),
            }
            for one in puts
        ]
        return written + [deletion(one) for one in deletes]

    def answered(
        self, puts: list[JsonObject], deletes: Iterable[str], answers: list[JsonObject]
    ) -> None:
        """Learn nothing."""


def put_request(name: str, version: str | None) -> JsonObject:
    """Return the request of an entry that puts a resource.

    Args:
        name: The server's reference.
        version: The versionId that the server must still hold, if that counts.
    """
    request = {"method": "PUT", "url": name}
    return request if version is None else {**request, "ifMatch": f'W/"{version}"'}


def deletion(name: str) -> JsonObject:
    """Return the entry that deletes a reference of the server."""
    return {"request": {"method": "DELETE", "url": name}}
