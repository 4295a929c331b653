"""A FHIR server as target: transactions of PUT by id, reads by id, nothing from its caches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.outcome import Rejected, written
from deidfhir.sync.target import Found
from deidfhir.sync.transport import Transport

# Without it HAPI adds up meta.tag and meta.security over updates: a label taken away would stay.
_BODY_IS_TRUTH = {"X-Meta-Snapshot-Mode": "TAG, PROFILE, SECURITY_LABEL"}
_ASK_OUTCOME = {"Prefer": "return=OperationOutcome"}
_FRESH = {"Cache-Control": "no-cache"}
_PAGE = 200


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
    batch: int = 20
    at_once: bool = True
    _checked: bool = field(default=False, init=False)

    @property
    def shown(self) -> str:
        """The base URL without credentials."""
        return self.transport.shown_url

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self.transport.count

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
        try:
            answer = self.transport.send("GET", "/metadata")
        except Rejected as error:
            raise FatalError("not-fhir", url=self.shown, status=error.status) from error
        found = str(answer.body.get("fhirVersion", ""))
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
        targets = [f"ImagingStudy/{one}" for one in studies]
        provenances = list(self._search("Provenance", "target", targets))
        return {
            one: Found(studies.get(one), tuple(p for p in provenances if _targets(p, one)))
            for one in wanted
        }

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id; those that are not there are left out."""
        return {one["id"]: one for one in self._search(kind, "_id", list(ids))}

    def _search(self, kind: str, parameter: str, values: list[str]) -> Iterator[JsonObject]:
        if not values:
            return
        self.check()
        path = f"/{kind}?{parameter}={quote(','.join(values), safe=',/')}&_count={_PAGE}"
        while path:
            bundle = self.transport.send("GET", path, headers=_FRESH).body
            if bundle.get("resourceType") != "Bundle":
                raise FatalError("answer-unexpected", url=self.shown, what="no Bundle")
            for entry in bundle.get("entry", ()):
                if entry.get("resource", {}).get("resourceType") == kind:
                    yield entry["resource"]
            path = self._next(bundle)

    def _next(self, bundle: JsonObject) -> str:
        """Return the next page below our own base URL, whatever name the server gives itself."""
        for link in bundle.get("link", ()):
            if link.get("relation") == "next":
                parts = urlsplit(link["url"])
                own = urlsplit(self.transport.base_url).path.rstrip("/")
                path = parts.path.removeprefix(own) if parts.path.startswith(own) else ""
                return f"{path.rstrip('/')}?{parts.query}"
        return ""

    def write(self, puts: Iterable[JsonObject], deletes: Iterable[str] = ()) -> list[str]:
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
                "request": {"method": "PUT", "url": reference(one)},
            }
            for one in resources
        ]
        entries += [{"request": {"method": "DELETE", "url": one}} for one in deletes]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        headers = {**_BODY_IS_TRUTH, **_ASK_OUTCOME}
        answer = self.transport.send("POST", "", body=bundle, headers=headers).body
        responses = [one.get("response", {}) for one in answer.get("entry", ())]
        if len(responses) != len(entries) or not all(
            str(one.get("status", "")).startswith("2") for one in responses
        ):
            raise FatalError("answer-unexpected", url=self.shown, what="entries do not match")
        return [written(one) for one in responses[: len(resources)]]

    def flush(self) -> None:
        """A transaction is durable when it is answered."""


def _targets(provenance: JsonObject, study_id: str) -> bool:
    return any(
        one.get("reference", "").split("/_history/")[0].endswith(f"ImagingStudy/{study_id}")
        for one in provenance.get("target", ())
    )
