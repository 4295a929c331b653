"""Our ids and the server's, where the server gives them: which is which, in both directions.

Ours is what carries our id as a tag; the tag is on the resource itself, so that a lost journal
loses nothing. The journal keeps the ids, too: another client may drop a tag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.assigned import AssignedIds
from deidfhir.web.outcome import objects

_MOST = 200_000
"""Names kept in memory at least: twice as many at most, those that were needed last.

A study is read, planned and written with what its read taught: nothing is forgotten at once.
"""


@dataclass(slots=True)
class Names:
    """What the server calls our resources.

    Args:
        system: System of the tag whose code is our id.
        kept: The journal's; None for a run without one.
    """

    system: str
    kept: AssignedIds | None = None
    ambiguous: set[str] = field(default_factory=set, init=False)
    """References of ours that stand for several resources of the server."""

    _server: dict[str, str] = field(default_factory=dict, init=False)
    _ours: dict[str, str] = field(default_factory=dict, init=False)
    _server_before: dict[str, str] = field(default_factory=dict, init=False)
    _ours_before: dict[str, str] = field(default_factory=dict, init=False)
    _fresh: dict[str, str] = field(default_factory=dict, init=False)

    def server(self, name: str) -> str | None:
        """Return the server's reference of one of ours, as far as it is known."""
        found = self._server.get(name)
        if found is None and (found := self._server_before.get(name)) is not None:
            self._note(name, found)
        return found

    def ours(self, name: str) -> str | None:
        """Return our reference of one of the server's, as far as it is known."""
        found = self._ours.get(name)
        if found is None and (found := self._ours_before.get(name)) is not None:
            self._note(found, name)
        return found

    def is_own(self, name: str) -> bool:
        """Whether one of ours has the same id on the server: it needs no tag."""
        return self.server(name) == name

    def recall(self, names: Iterable[str]) -> None:
        """Take from the journal what memory lacks; by the thread that owns the journal alone."""
        if self.kept is None:
            return
        if self._fresh:
            fresh, self._fresh = self._fresh, {}
            self.kept.put({name: one.partition("/")[2] for name, one in fresh.items()})
        if len(self._server) > _MOST:
            self._server_before, self._server = self._server, {}
            self._ours_before, self._ours = self._ours, {}
        if not self._server:
            for name, identity in self.kept.shared().items():
                self._note(name, f"{name.partition('/')[0]}/{identity}")
        lacking = [one for one in names if self.server(one) is None]
        for name, identity in self.kept.of(lacking).items():
            self._note(name, f"{name.partition('/')[0]}/{identity}")

    def recognise(self, servers: Iterable[str]) -> None:
        """Take from the journal which of the server's references are to ours; as `recall`."""
        if self.kept is not None:
            unknown = [one for one in servers if self.ours(one) is None]
            for server, name in self.kept.ours(unknown).items():
                self._note(name, server)

    def learn(self, name: str, server: str) -> None:
        """Note what the server calls one of ours.

        Args:
            name: Our reference.
            server: The server's.
        """
        if self.server(name) != server:
            self._note(name, server)
            if name != server:
                self._fresh[name] = server

    def _note(self, name: str, server: str) -> None:
        self._server[name] = server
        self._ours[server] = name

    def forget(self, name: str) -> None:
        """Note that the server has one of ours no more."""
        for servers, ours in (
            (self._server, self._ours),
            (self._server_before, self._ours_before),
        ):
            if (server := servers.pop(name, None)) is not None:
                ours.pop(server, None)

    def tagged(self, resource: JsonObject) -> str | None:
        """Return our reference of a resource of the server that carries our tag."""
        meta = resource.get("meta")
        for tag in objects(meta.get("tag")) if isinstance(meta, dict) else ():
            if tag.get("system") == self.system and isinstance(tag.get("code"), str):
                return f"{resource['resourceType']}/{tag['code']}"
        return None

    def tag(self, name: str) -> JsonObject:
        """Return the tag of one of ours."""
        return {"system": self.system, "code": name.partition("/")[2]}
