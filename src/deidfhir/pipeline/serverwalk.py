"""What each leg of the way to a FHIR server asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.mapping.context import MappingContext
from deidfhir.package.resources import conformance_resources
from deidfhir.pipeline.legs import Remark, Step, remark
from deidfhir.pipeline.targets import prepare
from deidfhir.sync.comparing import comparable
from deidfhir.sync.server import FhirServer
from deidfhir.sync.target import held_of
from deidfhir.web.access.reach import Reach
from deidfhir.web.access.refusal import CLOCK_LIMIT, clock_off, off_in_words
from deidfhir.web.address import is_loopback
from deidfhir.web.outcome import Rejected, objects

_READ = ("Device", "ImagingStudy", "Provenance")
_OF_ONE_REQUEST = ("not-fhir", "unauthorised")
"""Errors that concern what was asked for, not who asks."""


@dataclass(slots=True)
class ServerWalk:
    """The way to one server.

    Args:
        server: The server.
        context: Tells FHIR version, ids and addresses.
    """

    server: FhirServer
    context: MappingContext
    _answered: Mapping[str, str] = field(default_factory=dict, init=False)

    def steps(self) -> dict[str, Step]:
        """Return what walks each leg."""
        transport = self.server.transport
        reach = Reach(self.server.shown, transport.access.connection, transport.timeout)

        def tls() -> Remark | None:
            self._answered = reach.first_answer()
            return self._tls()

        return {
            "site": lambda: prepare(self.server),
            "dns": reach.resolve,
            "tcp": reach.connect,
            "tls": tls,
            "clock": self._clock,
            "auth": self._auth,
            "capability": self._capability,
            "read": self._read,
            "write": self._write,
            "profile": self._profile,
        }

    def _tls(self) -> Remark | None:
        parts = urlsplit(self.server.shown)
        if parts.scheme == "https":
            return None
        return remark("tls-absent" if is_loopback(parts.hostname or "") else "tls-absent-network")

    def _clock(self) -> Remark | None:
        ahead = clock_off(self._answered, self.server.transport.clock)
        if ahead is None:
            return remark("clock-untold")
        return remark("clock-off", off=off_in_words(ahead)) if abs(ahead) > CLOCK_LIMIT else None

    def _auth(self) -> None:
        """Ask for what an open CapabilityStatement would not show: who may read a Device."""
        try:
            self.server.transport.send("GET", f"/Device?_id={self._scratch['id']}")
        except (FatalError, Rejected) as error:
            if isinstance(error, FatalError) and error.code not in _OF_ONE_REQUEST:
                raise

    def _capability(self) -> Remark | None:
        self.server.check()
        statement = self.server.transport.send("GET", "/metadata").body
        said = [
            one.get("code")
            for rest in objects(statement.get("rest"))
            for one in objects(rest.get("interaction"))
        ]
        return None if "transaction" in said else remark("transaction-untold")

    def _read(self) -> None:
        for kind in _READ:
            try:
                self.server.read(kind, [self._scratch["id"]])
            except FatalError as error:
                if error.code not in _OF_ONE_REQUEST:
                    raise
                status = error.details["status"]
                raise FatalError(
                    "doctor-read", url=self.server.shown, kind=kind, status=status
                ) from None

    def _write(self) -> Remark | None:
        scratch = self._scratch
        if not self._is_ours(self._held()):
            raise FatalError("doctor-scratch", url=self.server.shown, resource=reference(scratch))
        self._sent([scratch], [])
        found = self._held()
        if found is None:
            raise FatalError("doctor-lost", url=self.server.shown)
        try:
            self._sent([], [reference(scratch)])
        except FatalError as error:
            what = error.details["what"]
            return remark("deletion-refused", what=what, resource=reference(scratch))
        return None if comparable(found) == comparable(scratch) else remark("write-changed")

    def _sent(self, puts: list[JsonObject], deletes: list[str]) -> None:
        try:
            self.server.write(puts, deletes)
        except Rejected as error:
            what: object = error
        except FatalError as error:
            if error.code != "unauthorised":
                raise
            what = f"HTTP {error.details['status']}"
        else:
            return
        raise FatalError("doctor-write", url=self.server.shown, what=what)

    def _held(self) -> JsonObject | None:
        return self.server.read("Device", [self._scratch["id"]]).get(self._scratch["id"])

    def _is_ours(self, found: JsonObject | None) -> bool:
        return found is None or found.get("manufacturer") == self._scratch["manufacturer"]

    @property
    def _scratch(self) -> JsonObject:
        """A Device that no object names; it is told from others by its manufacturer."""
        return {
            "resourceType": "Device",
            "id": self.context.namer.scratch(),
            "status": "inactive",
            "manufacturer": "deidfhir doctor",
        }

    def _profile(self) -> Remark | None:
        resources = conformance_resources(self.context.settings, self.context.fhir)
        try:
            held = held_of(self.server, resources)
        except (FatalError, Rejected) as error:
            if isinstance(error, FatalError) and error.code not in _OF_ONE_REQUEST:
                raise
            return remark("profile-untold")
        same = [
            one for one in resources if comparable(held.get(reference(one), {})) == comparable(one)
        ]
        if not held:
            return remark("profile-absent")
        count = len(resources) - len(same)
        return remark("profile-differs", count=count, all=len(resources)) if count else None
