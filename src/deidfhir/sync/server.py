"""A FHIR server as target: transactions of PUT by id, reads by id, nothing from its caches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote, urlsplit

from deidfhir.errors import FatalError, RetriableError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.asking import Answer
from deidfhir.sync.outcome import Rejected, objects, written
from deidfhir.sync.settling import settled
from deidfhir.sync.target import NO_VERSIONS, Found, Limits, held_of, stands
from deidfhir.sync.traffic import Traffic
from deidfhir.sync.transport import Transport, Unsettled

# Without it HAPI adds up meta.tag and meta.security over updates: a label taken away would stay.
_BODY_IS_TRUTH = {"X-Meta-Snapshot-Mode": "TAG, PROFILE, SECURITY_LABEL"}
_ASK_OUTCOME = {"Prefer": "return=OperationOutcome"}
_FRESH = {"Cache-Control": "no-cache"}
_PAGE = 200
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){0,2}(-[a-z0-9]{1,16})?")
STUDIES_A_PAGE = 20  # a study may have thousands of instances
_MOST_PAGES = 1000
LIMITS = Limits(studies=25, entries=500, size=1_000_000)
"""What servers take in one transaction, with room to spare below their own limits."""


@dataclass(slots=True)
class FhirServer:
    """A FHIR server.

    Args:
        transport: Speaks to its base URL.
        version: FHIR version that it must speak, such as 4.0.1.
        name: The version as on the command line, for messages.
    """

    transport: Transport
    version: str
    name: str
    batch: int = LIMITS.studies
    limits: Limits = LIMITS
    at_once: bool = True
    _checked: bool = field(default=False, init=False)

    @property
    def shown(self) -> str:
        """The base URL without credentials."""
        return self.transport.shown_url

    @property
    def connections(self) -> int:
        """How many writes may be under way."""
        return self.transport.pace.most

    @property
    def traffic(self) -> Traffic:
        """What the requests cost so far."""
        return self.transport.traffic

    def stamp(self) -> str | None:
        """A server does not say whether someone else changed it."""
        return None

    def check(self) -> None:
        """Ask once what the server is, before anything else is asked of it.

        Raises:
            FatalError: `not-fhir` or `fhir-version`.
        """
        if self._checked:
            return
        answer = self._get("/metadata")
        given = str(answer.body.get("fhirVersion", ""))
        found = given if _VERSION.fullmatch(given) else "of another form"
        if answer.body.get("resourceType") != "CapabilityStatement":
            raise FatalError("not-fhir", url=self.shown, status=answer.status)
        if found.split(".")[:2] != self.version.split(".")[:2]:
            raise FatalError("fhir-version", url=self.shown, found=found, wanted=self.name)
        self._checked = True

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Return what the server holds of some studies, by ImagingStudy id."""
        wanted = list(study_ids)
        studies = self.read("ImagingStudy", wanted)
        # A search of its own: servers cut off what they include, but page what they match.
        targets = [f"ImagingStudy/{one}" for one in wanted]
        provenances = list(self._search("Provenance", "target", targets))
        return {
            one: Found(studies.get(one), tuple(p for p in provenances if _targets(p, one)))
            for one in wanted
        }

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id; those that are not there are left out."""
        return {one["id"]: one for one in self._search(kind, "_id", list(ids))}

    def studies(self, identifiers: list[str]) -> Iterator[JsonObject]:
        """Yield the server's ImagingStudy resources, page by page.

        Args:
            identifiers: `system|value` of those that are wanted; all if there are none.
        """
        self.check()
        sought = f"identifier={quote(','.join(identifiers), safe=',')}&" if identifiers else ""
        yield from self._pages("ImagingStudy", f"{sought}_count={STUDIES_A_PAGE}")

    def _search(self, kind: str, parameter: str, values: list[str]) -> Iterator[JsonObject]:
        if not values:
            return
        self.check()
        query = f"{parameter}={quote(','.join(values), safe=',/')}&_count={_PAGE}"
        yield from self._pages(kind, query)

    def _pages(self, kind: str, query: str) -> Iterator[JsonObject]:
        path = f"/{kind}?{query}"
        seen: set[str] = set()
        pages, brought_new = 0, True
        while path:
            pages += 1
            if not brought_new or pages > _MOST_PAGES:
                raise self._unexpected("pages without end")
            brought_new = False
            bundle = self._get(path).body
            if bundle.get("resourceType") != "Bundle":
                raise self._unexpected("no Bundle")
            for entry in self._list(bundle, "entry"):
                resource = entry.get("resource")
                if not isinstance(resource, dict) or not isinstance(resource.get("id", ""), str):
                    raise self._unexpected("an entry without resource")
                if resource.get("resourceType") == kind:
                    brought_new |= self._usable(resource)["id"] not in seen
                    seen.add(resource["id"])
                    yield resource
            path = self._next(bundle)

    def _get(self, path: str) -> Answer:
        try:
            return self.transport.send("GET", path, headers=_FRESH)
        except Rejected as error:
            if error.recovery.is_passing:
                raise RetriableError(
                    "target-busy", url=self.shown, status=error.status, wait=""
                ) from error
            raise FatalError("not-fhir", url=self.shown, status=error.status) from error

    def _usable(self, resource: JsonObject) -> JsonObject:
        if "id" not in resource:
            raise self._unexpected("a resource without id")
        return resource

    def _list(self, bundle: JsonObject, name: str) -> list[JsonObject]:
        """Return a list of a Bundle; what is no list must not pass for an empty one."""
        listed = bundle.get(name, [])
        if not isinstance(listed, list) or len(objects(listed)) != len(listed):
            raise self._unexpected(f"{name} is no list of objects")
        return objects(listed)

    def _unexpected(self, what: str) -> FatalError:
        return FatalError("answer-unexpected", url=self.shown, what=what)

    def _next(self, bundle: JsonObject) -> str:
        """Return the next page below our own base URL, whatever name the server gives itself."""
        for link in self._list(bundle, "link"):
            if link.get("relation") == "next":
                if not isinstance(link.get("url"), str):
                    raise self._unexpected("a link without URL")
                try:
                    parts = urlsplit(link["url"])
                except ValueError as error:
                    raise self._unexpected("a link that is no URL") from error
                own = urlsplit(self.transport.base_url).path.rstrip("/")
                path = parts.path.removeprefix(own) if parts.path.startswith(own) else ""
                return f"{path.rstrip('/')}?{parts.query}"
        return ""

    def put(self, resource: JsonObject) -> None:
        """Put one resource at its own id.

        Raises:
            Rejected: The server refuses it for good.
        """
        path = f"/{reference(resource)}"
        self.transport.send("PUT", path, body=resource, headers=_BODY_IS_TRUTH)

    def write(
        self,
        puts: Iterable[JsonObject],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,
    ) -> list[str]:
        """Put resources and delete references in one transaction.

        Raises:
            Rejected: The server refuses the transaction for good; nothing was written.
        """
        self.check()
        resources = list(puts)
        entries: list[JsonObject] = [
            {
                "fullUrl": f"urn:uuid:{one['id']}",
                "resource": one,
                "request": _put_request(reference(one), versions),
            }
            for one in resources
        ]
        gone = list(deletes)
        entries += [{"request": {"method": "DELETE", "url": one}} for one in gone]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        tries = count()
        return settled(
            lambda until: self._sent(bundle, until, next(tries))[: len(resources)],
            lambda: self._found(resources, gone),
            self.transport.clock,
            self.transport.timeout,
        )

    def _sent(self, bundle: JsonObject, until: float, before: int) -> list[str]:
        """Send a transaction, once more if it was before; return what came of each entry."""
        headers = {**_BODY_IS_TRUTH, **_ASK_OUTCOME}
        answer = self.transport.send(
            "POST", "", body=bundle, headers=headers, settle_until=until, before=before
        ).body
        entries = objects(answer.get("entry"))
        responses = [one for entry in entries for one in objects([entry.get("response")])]
        if len(responses) != len(bundle["entry"]) or not all(
            str(one.get("status", "")).startswith("2") for one in responses
        ):
            raise Unsettled(self._unexpected("entries do not match"), bounded=True)
        return [written(one) for one in responses]

    def _found(self, resources: list[JsonObject], gone: list[str]) -> list[str] | None:
        """Return what came of a transaction of which the server holds all, else None."""
        held = held_of(self, resources)
        if not all(stands(one, held.get(reference(one))) for one in resources):
            return None
        if any(self.read(kind, [one]) for kind, one in (name.split("/") for name in gone)):
            return None
        first = [held[reference(one)].get("meta", {}).get("versionId") == "1" for one in resources]
        return ["created" if one else "updated" for one in first]

    def flush(self) -> None:
        """A transaction is durable when it is answered."""

    def rehearse(self) -> None:
        """A server tells only by writing whether it lets write."""


def _put_request(name: str, versions: Mapping[str, str]) -> JsonObject:
    request = {"method": "PUT", "url": name}
    return {**request, "ifMatch": f'W/"{versions[name]}"'} if name in versions else request


def _targets(provenance: JsonObject, study_id: str) -> bool:
    return any(
        str(one.get("reference", "")).split("/_history/")[0].endswith(f"ImagingStudy/{study_id}")
        for one in objects(provenance.get("target"))
    )
