"""What is asked of a server, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from gzip import compress
from typing import Any

from deidfhir.fhir.types import JsonObject
from deidfhir.tables import table
from deidfhir.web.events import Field
from deidfhir.web.jsonarray import objects_in

Take = Callable[[JsonObject], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server.

    Args:
        status: HTTP status, 2xx.
        body: The JSON object of the body, empty without one.
        taken: What was made of each object of the body, where that was asked for.
    """

    status: int
    body: JsonObject
    taken: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Args:
        method: HTTP method.
        path: What follows the base URL, with its query.
        data: Body, or None.
        headers: Beside those that every request carries.
        settles: Whether the caller finds out what came of it before it is repeated.
        attempt: How often it is sent with this time.
        take: What is made of each object of the answer, which is an array of them then.
    """

    method: str
    path: str
    data: bytes | None
    headers: Mapping[str, str]
    settles: bool
    attempt: int = 1
    take: Take | None = None

    @property
    def told(self) -> dict[str, Field]:
        """What may be told of it: of its address the type alone, if it is one of ours.

        The address of a next page is what a server says.
        """
        first = self.path.lstrip("/").partition("?")[0].partition("/")[0]
        kind = first or ("transaction" if self.method == "POST" else "")
        kinds = table("events.toml")["field"]["kind"].split("|")
        return {
            "request": self.headers.get("X-Request-ID", ""),
            "method": self.method,
            "kind": kind if kind in kinds else "other",
            "attempt": self.attempt,
            "sent": len(self.data or b""),
        }

    def taking(self, chunks: Iterable[bytes]) -> tuple[Any, ...]:
        """Return what is made of each object of an answer, as it comes."""
        assert self.take is not None  # noqa: S101 - whoever calls has looked
        return tuple(map(self.take, objects_in(chunks)))

    def compressed(self) -> Request:
        """Return the same request with its body compressed."""
        headers = {**self.headers, "Content-Encoding": "gzip"}
        packed = compress(self.data or b"", compresslevel=1, mtime=0)
        return replace(self, data=packed, headers=headers)
