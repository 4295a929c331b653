"""A FHIR server as target: transactions, reads by id, in the dialect that the server speaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from deidfhir.errors import FatalError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.addressing import Addressing, ByOurIds
from deidfhir.sync.assigned import AssignedIds
from deidfhir.sync.names import Names
from deidfhir.sync.profile import (
    Dialect,
    ServerProfile,
    Wishes,
    WriteMode,
    by_server_ids,
    dialect_of,
    expected,
)
from deidfhir.sync.reading import STUDIES_A_PAGE, Reader, joined
from deidfhir.sync.server_ids import ByServerIds
from deidfhir.sync.statement import stated_by
from deidfhir.sync.target import NO_VERSIONS, Found, Limits, studies_targeted
from deidfhir.sync.writing import Writer
from deidfhir.web.outcome import Rejected
from deidfhir.web.recovery import Recovery
from deidfhir.web.traffic import Traffic
from deidfhir.web.transport import Transport

_FEW_STUDIES, _AMPLY = 25, 10
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){0,2}(-[a-z0-9]{1,16})?")


@dataclass(slots=True)
class FhirServer:
    """A FHIR server.

    Args:
        transport: Speaks to its base URL.
        version: FHIR version that it must speak, such as 4.0.1.
        name: The version as on the command line, for messages.
        tag_system: System of the tags that hold our ids, where the server gives its own.
        wishes: What the operator says of it.
    """

    transport: Transport
    version: str
    name: str
    tag_system: str
    wishes: Wishes = Wishes()  # noqa: RUF009 - frozen
    batch: int = 200
    at_once: bool = True
    dialect: Dialect | None = field(default=None, init=False)
    """What the server is taken for; None before it was asked."""

    _kept: AssignedIds | None = field(default=None, init=False)
    _statement: JsonObject = field(default_factory=dict, init=False)
    _reader: Reader = field(init=False)
    _addressing: Addressing = field(init=False)
    _takes_our_ids: bool = field(default=False, init=False)
    _studies: int = field(default=_FEW_STUDIES, init=False)
    _changing: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Prepare to read; nothing is asked yet."""
        self._reader = Reader(self.transport)
        self._addressing = ByOurIds(self._reader)

    @property
    def shown(self) -> str:
        """The base URL without credentials."""
        return self.transport.shown_url

    @property
    def traffic(self) -> Traffic:
        """What the requests cost so far."""
        return self.transport.traffic

    @property
    def profile(self) -> ServerProfile:
        """What is known of the server; before it was asked, what is expected of it."""
        return self.dialect.profile if self.dialect else expected(self.wishes)

    @property
    def limits(self) -> Limits:
        """How much one transaction takes: more once it is known to be quick."""
        limits = self.profile.limits
        return replace(limits, studies=min(limits.studies, self._studies))

    @property
    def connections(self) -> int:
        """How many writes may be under way."""
        return self.transport.pace.most

    @property
    def looks_ahead(self) -> bool:
        """Whether studies may be looked up beside the run: once it is known to take our ids.

        Before that, or where it gives its own, the journal is asked for them on the way.
        """
        return self._takes_our_ids and isinstance(self._addressing, ByOurIds)

    def keep_ids_in(self, kept: AssignedIds) -> None:
        """Keep in the journal what the server calls our resources, and by which mode.

        Args:
            kept: The journal's side.
        """
        self._kept = kept
        self.wishes = replace(self.wishes, kept=kept.mode())

    def stamp(self) -> str | None:
        """A server does not say whether someone else changed it."""
        return None

    def check(self) -> None:
        """Ask once what the server is, before anything else is asked of it.

        Raises:
            FatalError: `not-fhir`, `fhir-version` or `write-mode-kept`.
        """
        if self.dialect is not None:
            return
        answer = stated_by(self._reader)
        given = str(answer.body.get("fhirVersion", ""))
        found = given if _VERSION.fullmatch(given) else "of another form"
        if answer.body.get("resourceType") != "CapabilityStatement":
            raise FatalError("not-fhir", url=self.shown, status=answer.status)
        if found.split(".")[:2] != self.version.split(".")[:2]:
            raise FatalError("fhir-version", url=self.shown, found=found, wanted=self.name)
        self._statement = answer.body
        self._speak(dialect_of(answer.body, self.transport.base_url, self.wishes))

    def _speak(self, dialect: Dialect) -> None:
        if dialect.mode is WriteMode.PUT and self.wishes.kept not in ("", WriteMode.PUT):
            raise FatalError("write-mode-kept", url=self.shown, mode=self.wishes.kept)
        self.dialect = dialect
        self.transport.gzip = dialect.profile.gzip
        self.transport.pace.keep_to(dialect.profile.connections)
        if dialect.mode is WriteMode.PUT:
            self._addressing = ByOurIds(self._reader)
        else:
            names = Names(self.tag_system, self._kept)
            self._addressing = ByServerIds(self._reader, names, dialect.mode)

    def find(self, study_ids: Iterable[str]) -> dict[str, Found]:
        """Return what the server holds of some studies, by ImagingStudy id."""
        wanted = list(study_ids)
        studies = self.read("ImagingStudy", wanted)
        about = self.provenances_of(wanted)
        return {one: Found(studies.get(one), about[one]) for one in wanted}

    def provenances_of(self, study_ids: Iterable[str]) -> dict[str, tuple[JsonObject, ...]]:
        """Return every Provenance that targets some ImagingStudies, by their ids."""
        wanted = list(study_ids)
        if not wanted:
            return {}
        self.check()
        self._keep_mode()
        self._addressing.recall(f"ImagingStudy/{one}" for one in wanted)
        # A search of its own: servers cut off what they include, but page what they match.
        targets = self._addressing.on_server(f"ImagingStudy/{one}" for one in wanted)
        held = self._reader.search("Provenance", "target", targets)
        self._addressing.recognise(held)
        found = self._addressing.received(held)
        return {one: tuple(p for p in found if one in studies_targeted(p)) for one in wanted}

    def read(self, kind: str, ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return resources of one type, by id; those that are not there are left out."""
        wanted = list(ids)
        if not wanted:
            return {}
        self.check()
        self._keep_mode()
        self._addressing.recall(f"{kind}/{one}" for one in wanted)
        return self._addressing.read(kind, wanted)

    def studies(self, identifiers: list[str], *, brief: bool = False) -> Iterator[JsonObject]:
        """Yield the server's ImagingStudy resources, page by page.

        Args:
            identifiers: `system|value` of those that are wanted; all if there are none.
            brief: Whether their identifiers and versions will do.
        """
        self.check()
        # Nothing may have been read by id yet: the mode is known before anything is written.
        self._keep_mode()
        self._addressing.recall(())
        # A page of whole studies is a small one: each may have thousands of instances.
        size = "_count=200&_elements=identifier,meta" if brief else f"_count={STUDIES_A_PAGE}"
        sought = [f"identifier={one}&" for one in joined(identifiers)] if identifiers else [""]
        for query in sought:
            for page in self._reader.pages("ImagingStudy", query + size):
                self._recognise_mode(page)
                yield from self._addressing.received(page)

    def _recognise_mode(self, page: Iterable[JsonObject]) -> None:
        """Let the server give the ids if it gave those of what is ours: the journal was lost."""
        asked = self.dialect is not None and self.dialect.mode_by == "option"
        if isinstance(self._addressing, ByOurIds) and not self._takes_our_ids and not asked:
            names = Names(self.tag_system)
            if any(names.tagged(one) for one in page):
                self._give_way("found")

    def put(self, resource: JsonObject) -> None:
        """Put one resource at its own id.

        Raises:
            Rejected: The server refuses it for good.
        """
        path = f"/{reference(resource)}"
        self.transport.send("PUT", path, body=resource, headers=self.profile.headers)

    def write(
        self,
        puts: Iterable[JsonObject],
        deletes: Iterable[str] = (),
        versions: Mapping[str, str] = NO_VERSIONS,
    ) -> list[str]:
        """Put resources and delete references in one transaction.

        Raises:
            Rejected: The server refuses the transaction for good; nothing was written.
            FatalError: `client-ids-refused`: the mode that was asked for is none for this server.
        """
        self.check()
        resources, gone = list(puts), list(deletes)
        addressing = self._addressing
        begun = self.transport.clock.monotonic()
        try:
            outcomes = self._transaction(addressing, resources, gone, versions)
        except Rejected as error:
            # 405 is FHIR's answer to an id that a client chose, and many a server's to a deletion.
            refuses_ids = error.recovery is Recovery.IDS or (error.status == 405 and not gone)
            if not refuses_ids or not isinstance(addressing, ByOurIds):
                raise
        else:
            ours = isinstance(addressing, ByOurIds)
            self._takes_our_ids = ours and any(
                one["resourceType"] == "ImagingStudy" for one in resources
            )
            self._grow(self.transport.clock.monotonic() - begun)
            return outcomes
        self._give_way("refusal")
        return self._transaction(self._addressing, resources, gone, versions)

    def _grow(self, seconds: float) -> None:
        """Let transactions be larger if there is ample time for them, waiting included."""
        if seconds < self.transport.timeout / _AMPLY:
            with self._changing:
                self._studies = min(2 * self._studies, self.profile.limits.studies)

    def _give_way(self, why: str) -> None:
        """Let the server give the ids: it does not take ours."""
        with self._changing:
            spoken = self.dialect
            if spoken is None or spoken.mode is not WriteMode.PUT:
                return  # another transaction was told so before
            if spoken.mode_by == "option":
                raise FatalError("client-ids-refused", url=self.shown)
            mode = by_server_ids(self._statement)
            self._speak(replace(spoken, mode=mode, mode_by=why))

    def _transaction(
        self,
        addressing: Addressing,
        puts: list[JsonObject],
        deletes: list[str],
        versions: Mapping[str, str],
    ) -> list[str]:
        gave_way = self.dialect is not None and self.dialect.mode_by in ("refusal", "found")
        if gave_way and addressing.has_more_than(puts):
            # By an earlier run: this one planned at our ids, as if nothing were there.
            raise Rejected(412, "conflict")
        writer = Writer(self.transport, self._reader, addressing, self.profile.headers)
        return writer.write(puts, deletes, versions)

    def _keep_mode(self) -> None:
        """Note the mode in the journal: by another, what is there would be doubled."""
        spoken = self.dialect
        if self._kept is not None and spoken is not None and spoken.mode != self.wishes.kept:
            self._kept.keep_mode(spoken.mode)
            self.wishes = replace(self.wishes, kept=spoken.mode)

    def keep_names(self) -> None:
        """Note in the journal by which mode was written, and which ids the server gave."""
        self._keep_mode()
        self._addressing.recall(())

    def flush(self) -> None:
        """A transaction is durable when it is answered."""

    def rehearse(self) -> None:
        """A server tells only by writing whether it lets write."""
