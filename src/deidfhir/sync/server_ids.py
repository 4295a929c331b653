"""Resources of ours at ids that a server gave them: found by our id as a tag, written by theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.addressing import deletion, put_request
from deidfhir.sync.names import Names
from deidfhir.sync.profile import WriteMode
from deidfhir.sync.reading import Reader
from deidfhir.sync.translation import references, renamed, with_id, with_tag, without_tags
from deidfhir.web.outcome import Rejected, objects

_WRITTEN = frozenset({"Device", "Endpoint", "ImagingStudy", "Patient", "Provenance"})
"""The types that we write; of others, no reference can be one to a resource of ours."""

_STUDYS_OWN = ("ImagingStudy", "Provenance")


@dataclass(slots=True)
class ByServerIds:
    """The server gives ids; ours stand on the resources as tags.

    What carries no tag of ours is someone else's, or was written at our id: it is where its own id
    says, and gets no tag.

    Args:
        reader: Reads from the server.
        names: Which id is which.
        mode: How what is not there is written.
    """

    reader: Reader
    names: Names
    mode: WriteMode
    _strangers: set[str] = field(default_factory=set, init=False)
    _read: set[str] = field(default_factory=set, init=False)

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by our id."""
        wanted = [f"{kind}/{one}" for one in ids]
        found = self._look_up(kind, wanted)
        self._read.update(reference(one) for one in found)
        return {one["id"]: one for one in found}

    def recall(self, names: Iterable[str]) -> None:
        """Keep in the journal what was learned, and learn from it which id some names have."""
        self.names.recall(names)

    def recognise(self, resources: Iterable[JsonObject]) -> None:
        """Learn from the journal which are ours, where someone has taken the tag away."""
        self.names.recognise(reference(one) for one in resources)

    def _look_up(self, kind: str, wanted: list[str]) -> list[JsonObject]:
        known = {name: one for name in wanted if (one := self.names.server(name))}
        found = self._asked(kind, "_id", [_id(one) for one in known.values()], wanted)
        for name in known.keys() - found.keys():
            self.names.forget(name)
        left = [_id(name) for name in wanted if name not in found]
        tags = [f"{self.names.system}|{one}" for one in left]
        found |= self._asked(kind, "_tag", tags, wanted)
        # Written by another mode, or someone else's.
        left = [_id(name) for name in wanted if name not in found]
        found |= self._asked(kind, "_id", left, wanted)
        return list(found.values())

    def _asked(
        self, kind: str, parameter: str, values: list[str], wanted: list[str]
    ) -> dict[str, JsonObject]:
        came = self._translated(self.reader.search(kind, parameter, values))
        return {reference(one): one for one in came if reference(one) in wanted}

    def received(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return what a server sent, with our ids and without their tags."""
        found = self._translated(resources)
        self._read.update(reference(one) for one in found)
        return found

    def _translated(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        came = list(resources)
        there: dict[str, tuple[str, JsonObject]] = {}
        for one in came:
            server = reference(one)
            name = self.names.tagged(one) or self.names.ours(server) or server
            if there.setdefault(name, (server, one))[0] != server:
                self.names.ambiguous.add(name)
        for name, (server, _) in there.items():
            self.names.learn(name, server)
        self._meet(references([one for _, one in there.values()]))
        return [
            without_tags(with_id(renamed(one, self._ours), _id(name)), self.names.system)
            for name, (_, one) in there.items()
        ]

    def _ours(self, name: str) -> str:
        return self.names.ours(name) or name

    def _meet(self, names: Iterable[str]) -> None:
        """Learn whether some references of the server are to resources of ours."""
        unknown: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            kind, _, identity = name.partition("/")
            met = self.names.ours(name) is not None or name in self._strangers
            if kind in _WRITTEN and not met:
                unknown.setdefault(kind, []).append(identity)
        for kind, ids in unknown.items():
            for one in self.reader.search(kind, "_id", ids):
                if tagged := self.names.tagged(one):
                    self.names.learn(tagged, reference(one))
            self._strangers |= {
                f"{kind}/{one}" for one in ids if self.names.ours(f"{kind}/{one}") is None
            }

    def on_server(self, names: Iterable[str]) -> list[str]:
        """Return the server's references of those of ours that it is known to have."""
        return [server for name in names if (server := self.names.server(name))]

    def has_more_than(self, puts: list[JsonObject]) -> bool:
        """Whether the server has something of some studies that was not read before."""
        own = [reference(one) for one in puts if one["resourceType"] in _STUDYS_OWN]
        unread = [name for name in own if name not in self._read]
        self._find(unread, self._strangers)
        return any(self.names.server(name) for name in unread)

    def entries(
        self, puts: list[JsonObject], deletes: Iterable[str], versions: Mapping[str, str]
    ) -> list[JsonObject]:
        """Return the entries of a transaction.

        Raises:
            Rejected: Several resources of the server stand for one of these, or what shall still
                have some version is not to be found: it is written where it is, or not at all.
        """
        own = [reference(one) for one in puts]
        gone = list(deletes)
        self._find([*(references(puts)), *gone], {*own, *self._strangers})
        if self.mode is WriteMode.READ_THEN_WRITE:
            self._find(own, self._strangers)
        self._find([one for one in own if one in versions], set())
        if self.names.ambiguous & {*own, *gone}:
            raise Rejected(412, "multiple-matches")
        there = set(own)
        written = [self._entry(one, versions.get(reference(one)), there) for one in puts]
        return written + [deletion(one) for one in self.on_server(gone)]

    def _find(self, names: Iterable[str], apart_from: set[str]) -> None:
        """Look up what of some of our references is not known."""
        unknown: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            kind = name.partition("/")[0]
            known = name in apart_from or self.names.server(name) is not None
            if kind in _WRITTEN and not known:
                unknown.setdefault(kind, []).append(name)
        for kind, lacking in unknown.items():
            self._look_up(kind, lacking)

    def _entry(self, resource: JsonObject, version: str | None, there: set[str]) -> JsonObject:
        name = reference(resource)
        kind, _, identity = name.partition("/")
        server = self.names.server(name)

        def address(one: str) -> str:
            known = self.names.server(one)
            return known or (f"urn:uuid:{_id(one)}" if one in there else one)

        body = renamed(resource, address)
        if not self.names.is_own(name):
            body = with_tag(body, self.names.tag(name))
        if server is not None:
            body = with_id(body, _id(server))
            return {"resource": body, "request": put_request(server, version)}
        if version is not None:  # it is someone else's, or was read: made anew, it would be doubled
            raise Rejected(412, "conflict")
        body = with_id(body, None)
        if self.mode is WriteMode.CONDITIONAL:
            tag = quote(f"{self.names.system}|{identity}", safe="")
            request = {"method": "PUT", "url": f"{kind}?_tag={tag}"}
        else:
            request = {"method": "POST", "url": kind}
        return {"fullUrl": f"urn:uuid:{identity}", "resource": body, "request": request}

    def answered(
        self, puts: list[JsonObject], deletes: Iterable[str], answers: list[JsonObject]
    ) -> None:
        """Learn which ids the server gave."""
        for one, answer in zip(puts, answers, strict=False):
            if server := _given(one["resourceType"], answer):
                self.names.learn(reference(one), server)
        for name in deletes:
            self.names.forget(name)


def _id(name: str) -> str:
    return name.partition("/")[2]


def _given(kind: str, answer: JsonObject) -> str | None:
    """Return the server's reference that an entry of an answer gives, if it gives one."""
    for response in objects([answer.get("response")]):
        path = urlsplit(str(response.get("location", ""))).path.split("/_history/")[0]
        before, _, identity = path.rpartition("/")
        if identity and (before == kind or before.endswith(f"/{kind}")):
            return f"{kind}/{identity}"
    for resource in objects([answer.get("resource")]):
        if resource.get("resourceType") == kind and isinstance(resource.get("id"), str):
            return f"{kind}/{resource['id']}"
    return None
