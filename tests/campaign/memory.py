"""A FHIR server in memory: versions, history, transactions; fast where HAPI is not needed.

It does what HAPI was seen to do with the few requests that a sync sends: PUT by id, a PUT that
changes nothing makes no version, deletion and revival, If-Match, references must resolve.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.fake import MIME, capability, outcome
from tests.integration.listener import Listener, Sent

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - what a server answers, not a fault
    """An answer that refuses a request."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass
class Version:
    """One version of one resource; a deletion has no resource."""

    number: int
    at: str
    resource: Json | None


@dataclass
class MemoryStore:
    """Resources with all their versions.

    Attributes:
        suppresses: Whether a PUT that changes nothing makes no version.
    """

    suppresses: bool = True
    histories: dict[str, list[Version]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def current(self, name: str) -> Json | None:
        """Return a resource as it is now."""
        versions = self.histories.get(name)
        return versions[-1].resource if versions else None

    def all(self, kind: str) -> list[Json]:
        """Return the resources of one type."""
        held = (self.current(name) for name in self.histories if name.startswith(f"{kind}/"))
        return [one for one in held if one is not None]

    def put(self, resource: Json) -> str:
        """Put a resource; return the entry's status."""
        name = f"{resource['resourceType']}/{resource['id']}"
        before = self.current(name)
        if before is not None and self.suppresses and _bare(before) == _bare(resource):
            return "200 OK"
        self._add(name, resource)
        return "201 Created" if before is None else "200 OK"

    def delete(self, name: str) -> str:
        """Delete a resource; deleting it again changes nothing."""
        if self.current(name) is not None:
            self._add(name, None)
        return "204 No Content"

    def _add(self, name: str, resource: Json | None) -> None:
        versions = self.histories.setdefault(name, [])
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        number = versions[-1].number + 1 if versions else 1
        if resource is not None:
            meta = {**resource.get("meta", {}), "versionId": str(number), "lastUpdated": at}
            resource = {**resource, "meta": meta}
        versions.append(Version(number, at, resource))

    def transaction(self, entries: list[Json]) -> list[Json]:
        """Do all entries or none."""
        for entry in entries:
            self._require(entry)
        done = []
        for entry in entries:
            asked = entry["request"]
            before = self.histories.get(asked["url"], [])[-1:]
            if asked["method"] == "PUT":
                status = self.put(entry["resource"])
            else:
                status = self.delete(asked["url"])
            same = before == self.histories.get(asked["url"], [])[-1:]
            done.append(_response(status, unchanged=bool(before) and same))
        return done

    def _require(self, entry: Json) -> None:
        asked = entry["request"]
        wanted = asked.get("ifMatch", "").removeprefix("W/").strip('"')
        held = self.histories.get(asked["url"])
        if wanted and (held is None or str(held[-1].number) != wanted):
            raise Refusal(409, "HAPI-0550: HAPI-0989: stale")

    def since(self, instant: str) -> list[Json]:
        """Return the history from an instant on, newest first, as a server lists it."""
        found = []
        for name, versions in self.histories.items():
            for one in versions:
                if one.at >= instant:
                    method = "DELETE" if one.resource is None else "PUT"
                    entry: Json = {"request": {"method": method, "url": name}}
                    if one.resource is not None:
                        entry["resource"] = one.resource
                    found.append((one.at, one.number, entry))
        return [entry for _, _, entry in sorted(found, key=lambda one: one[:2], reverse=True)]


class MemoryServer(Listener):
    """The store behind a FHIR base URL on loopback."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/fhir"

    def answer(self, request: BaseHTTPRequestHandler, sent: Sent, content: bytes) -> None:
        """Answer as a server does."""
        del content
        with self.store.lock:
            try:
                status, body = self._done(sent, request.headers.get("If-Match", ""))
            except Refusal as refusal:
                status, body = refusal.status, outcome(refusal.text)
        data = json.dumps(body).encode() if body is not None else b""
        request.send_response(status)
        request.send_header("Content-Type", MIME)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _done(self, sent: Sent, if_match: str) -> tuple[int, Json | None]:
        parts = urlsplit(sent.path)
        path = parts.path.removeprefix("/fhir").strip("/")
        if sent.method == "GET":
            return self._read(path, {key: one[0] for key, one in parse_qs(parts.query).items()})
        if sent.method == "POST" and not path:
            entries = self.store.transaction(sent.body["entry"])
            return 200, {
                "resourceType": "Bundle",
                "type": "transaction-response",
                "entry": entries,
            }
        method = {"PUT": "PUT", "DELETE": "DELETE"}[sent.method]
        asked = {"method": method, "url": path, "ifMatch": if_match}
        (done,) = self.store.transaction([{"request": asked, "resource": sent.body}])
        return int(done["response"]["status"][:3]), self.store.current(path)

    def _read(self, path: str, query: dict[str, str]) -> tuple[int, Json]:
        if path == "metadata":
            return 200, capability("4.0.1")
        if path == "_history":
            return 200, {**_bundle(()), "entry": self.store.since(query["_since"])}
        if "/" in path:
            held = self.store.current(path)
            if held is None:
                raise Refusal(410 if path in self.store.histories else 404, "gone or unknown")
            return 200, held
        return 200, _bundle(one for one in self.store.all(path) if _matches(one, query))


def _matches(resource: Json, query: dict[str, str]) -> bool:
    ids = query.get("_id")
    if ids is not None and resource["id"] not in ids.split(","):
        return False
    targets = query.get("target")
    if targets is not None:
        held = {one.get("reference") for one in resource.get("target", ())}
        if not held & set(targets.split(",")):
            return False
    tokens = query.get("identifier")
    if tokens is not None:
        held = {f"{one.get('system')}|{one['value']}" for one in resource.get("identifier", ())}
        if not held & set(tokens.split(",")):
            return False
    return True


def _bundle(resources: Any) -> Json:  # noqa: ANN401 - any iterable
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def _response(status: str, *, unchanged: bool) -> Json:
    told = "SUCCESSFUL_UPDATE_NO_CHANGE" if unchanged else "SUCCESSFUL_UPDATE"
    issue = {"severity": "information", "details": {"coding": [{"code": told}]}}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return {"response": {"status": status, "outcome": body}}


def _bare(resource: Json) -> Json:
    meta = resource.get("meta", {})
    kept = {key: one for key, one in meta.items() if key not in ("versionId", "lastUpdated")}
    return {**resource, "meta": kept}
