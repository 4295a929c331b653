"""Reading from a FHIR server: one resource type at a time, page by page, nothing from its caches.

What is no answer to what was asked must not pass for an empty one: something would be doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from deidfhir.errors import FatalError, RetriableError
from deidfhir.fhir.types import JsonObject
from deidfhir.sync.paging import next_path
from deidfhir.web.outcome import Rejected, objects
from deidfhir.web.request import Answer
from deidfhir.web.transport import Transport

_FRESH = {"Cache-Control": "no-cache"}
_PAGE = 200
STUDIES_A_PAGE = 20
_LONGEST = 6000
"""Characters of the values in one URL: servers and what stands before them limit a request line."""

_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads from one base URL.

    Args:
        transport: Speaks to it.
    """

    transport: Transport

    def get(self, path: str, *, fresh: bool = True) -> Answer:
        """Return the answer to one GET.

        Args:
            path: What follows the base URL, with its query.
            fresh: Whether it must be true now, and not only a while ago.

        Raises:
            RetriableError: The server is down or busy.
            FatalError: `not-fhir` or `unauthorised`.
        """
        shown = self.transport.shown_url
        try:
            return self.transport.send("GET", path, headers=_FRESH if fresh else {})
        except Rejected as error:
            if error.recovery.is_passing:
                raise RetriableError(
                    "target-busy", url=shown, status=error.status, wait=""
                ) from error
            raise FatalError("not-fhir", url=shown, status=error.status) from error

    def search(self, kind: str, parameter: str, values: Iterable[str]) -> list[JsonObject]:
        """Return the resources of one type that have one of some values.

        Args:
            kind: The resource type.
            parameter: A search parameter.
            values: As they stand in a query, before it is encoded; none find nothing.
        """
        # Whole studies are read a few at a time: each may have thousands of instances.
        size = STUDIES_A_PAGE if kind == "ImagingStudy" else _PAGE
        return [
            resource
            for some in joined(values)
            for page in self.pages(kind, f"{parameter}={some}&_count={size}")
            for resource in page
        ]

    def pages(self, kind: str, query: str) -> Iterator[list[JsonObject]]:
        """Yield what a search finds of one type, page by page; each has an id.

        Args:
            kind: The resource type.
            query: What follows the question mark.
        """
        path = f"/{kind}?{query}"
        seen: set[str] = set()
        pages, brought_new = 0, True
        while path:
            pages += 1
            if not brought_new or pages > _MOST_PAGES:
                raise self.unexpected("pages without end")
            bundle = self.get(path).body
            if bundle.get("resourceType") != "Bundle":
                raise self.unexpected("no Bundle")
            found = [one for one in self._resources(bundle) if one.get("resourceType") == kind]
            if any("id" not in one for one in found):
                raise self.unexpected("a resource without id")
            brought_new = any(one["id"] not in seen for one in found)
            seen |= {one["id"] for one in found}
            yield found
            path = self._next(bundle, path, kind)

    def unexpected(self, what: str) -> FatalError:
        """Return the error for what is no answer to what was asked."""
        return FatalError("answer-unexpected", url=self.transport.shown_url, what=what)

    def _resources(self, bundle: JsonObject) -> list[JsonObject]:
        found = []
        for entry in self._list(bundle, "entry"):
            resource = entry.get("resource")
            if not isinstance(resource, dict) or not isinstance(resource.get("id", ""), str):
                raise self.unexpected("an entry without resource")
            found.append(resource)
        return found

    def _list(self, bundle: JsonObject, name: str) -> list[JsonObject]:
        """Return a list of a Bundle; what is no list must not pass for an empty one."""
        listed = bundle.get(name, [])
        if not isinstance(listed, list) or len(objects(listed)) != len(listed):
            raise self.unexpected(f"{name} is no list of objects")
        return objects(listed)

    def _next(self, bundle: JsonObject, asked: str, kind: str) -> str:
        """Return what follows our base URL for the next page; empty where there is none."""
        for link in self._list(bundle, "link"):
            if link.get("relation") == "next":
                if not isinstance(link.get("url"), str):
                    raise self.unexpected("a link without URL")
                path = next_path(self.transport.base_url, asked, link["url"], kind)
                if path is None:
                    raise self.unexpected("a link to what is not below the base URL")
                return path
        return ""


def joined(values: Iterable[str]) -> Iterator[str]:
    """Yield values of a search, encoded and joined by commas, as many as a URL takes.

    Args:
        values: As they stand in a query, before it is encoded.
    """
    group: list[str] = []
    size = 0
    for value in values:
        text = quote(value, safe="/", errors="replace")
        if group and size + len(text) >= _LONGEST:
            yield ",".join(group)
            group, size = [], 0
        group.append(text)
        size += len(text) + 1
    if group:
        yield ",".join(group)
