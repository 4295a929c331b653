"""GET /decide: asks target and journal whether one ImagingStudy may be given away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock

from deidfhir.errors import DeidFhirError, RetriableError
from deidfhir.fhir.types import JsonObject, reference
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.identity import bare
from deidfhir.model.uid import is_usable
from deidfhir.pipeline.foreign import identifiers_of
from deidfhir.pipeline.judging import Decision, Judgement, study_uid_of
from deidfhir.pipeline.remembering import Remembered
from deidfhir.pipeline.targets import TargetOptions, journal_identity, journal_path, open_server
from deidfhir.sync.glance import glance
from deidfhir.sync.journal import StudyRow
from deidfhir.sync.names import Names
from deidfhir.sync.reading import Reader
from deidfhir.sync.server import FhirServer
from deidfhir.web.timing import Clock

_KIND = "ImagingStudy"
_RESOURCE = re.compile(r"ImagingStudy/([A-Za-z0-9.-]{1,64})")  # FHIR datatypes, id
_USES = 1000
"""So often a server is asked before what is known of it is found out anew."""

SECONDS, REFUSED_SECONDS, MOST, TIMEOUT = 5.0, 1.0, 10_000, 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about a study, or about one resource.

    Args:
        uid: Study Instance UID; empty where a resource is asked about.
        id: The target's id of an ImagingStudy; empty where a study is asked about.
    """

    uid: str = ""
    id: str = ""

    @classmethod
    def of(cls, study: str | None, resource: str | None) -> Question | None:
        """Return what two parameters ask; None where they ask nothing, or in no known form.

        Args:
            study: A Study Instance UID, also with `urn:oid:`.
            resource: `ImagingStudy/ID`.
        """
        if study is not None and resource is None and is_usable(uid := bare(study)):
            return cls(uid=uid)
        found = _RESOURCE.fullmatch(resource or "")
        return cls(id=found[1]) if found and study is None else None

    @property
    def key(self) -> str:
        """What no other question has."""
        return f"{_KIND}/{self.id}" if self.id else self.uid


@dataclass(slots=True)
class Decider:
    """Decides; from as many threads as there are.

    Args:
        where: The target, and its journal.
        context: FHIR version, settings and policy: those of the sync that wrote there.
        seconds: How long it stands that one may be given away; 0 for not at all. What refuses does
            not stand longer than one second.
        most: How many decisions are remembered.
        timeout: Seconds for a decision; what is slower is unreachable.
    """

    where: TargetOptions
    context: MappingContext
    seconds: float = SECONDS
    most: int = MOST
    timeout: float = TIMEOUT
    _remembered: Remembered = field(init=False)
    _idle: list[tuple[FhirServer, int]] = field(default_factory=list, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        """Make what remembers; nothing is asked yet."""
        self._clock = self.where.clock or Clock()
        self._remembered = Remembered(self.most)

    def decide(self, question: Question | None) -> Decision:
        """Return whether an ImagingStudy may be given away; whatever is not known refuses.

        Args:
            question: Which; None for what nobody can answer.
        """
        if question is None:
            return Decision("question")
        begun = self._clock.monotonic()
        known = self._remembered.get(question.key, begun)
        if known is not None:
            return known
        try:
            decision = self._decided(question, begun + self.timeout)
        except DeidFhirError as error:
            return Decision("unreachable", error.code)  # and not remembered
        lasts = self.seconds if decision.is_allowed else min(self.seconds, REFUSED_SECONDS)
        decision = replace(decision, lasts=lasts)
        self._remembered.put(question.key, decision, begun)
        return decision

    def forget(self) -> None:
        """Forget what was decided: the target was written to."""
        self._remembered.forget(self._clock.monotonic())

    def _decided(self, question: Question, until: float) -> Decision:
        with self._server() as server:
            raw = self._read_raw(server, question.id) if question.id else None
            if question.id and raw is None:
                return Decision("missing")
            uid = study_uid_of(raw) if raw is not None else question.uid
            if not is_usable(uid):
                return Decision("foreign")  # nobody can say of which study it is
            self._in_time(server, until)
            every = {one["id"]: one for one in server.studies(list(identifiers_of(uid)))}
            if len(every) != 1:
                return Decision("duplicate" if every else "missing")
            (study,) = every.values()
            if raw is not None and not _is_same(raw, study, server):
                return Decision("duplicate")
            self._in_time(server, until)
            about = server.provenances_of([study["id"]])[study["id"]]
            self._in_time(server, until)
            patient = self._patient(server, uid, study)
            row = self._row(server, uid)
            self._in_time(server, until)
        return Judgement(study, uid, about, patient, row, self.context).decision()

    @staticmethod
    def _read_raw(server: FhirServer, identity: str) -> JsonObject | None:
        """Return an ImagingStudy by the id that the target has for it."""
        server.check()
        found = Reader(server.transport).search(_KIND, "_id", [identity])
        return found[0] if len(found) == 1 else None

    def _patient(self, server: FhirServer, uid: str, study: JsonObject) -> JsonObject | None:
        """Return the Patient of ours that a study refers to."""
        identity = self.context.namer.patient(uid)
        subject = study.get("subject")
        if not isinstance(subject, dict) or subject.get("reference") != f"Patient/{identity}":
            return None
        return server.read("Patient", [identity]).get(identity)

    def _row(self, server: FhirServer, uid: str) -> StudyRow | None:
        """Return what the journal knows; while a run has it to itself, the target is asked alone.

        Raises:
            FatalError: It cannot be read, or is another target's.
        """
        path = self.where.journal or journal_path(server)
        belongs = journal_identity(server, self.context)
        try:
            return glance(path, belongs, self.context.namer.imaging_study(uid))
        except RetriableError:
            return None

    def _in_time(self, server: FhirServer, until: float) -> None:
        if self._clock.monotonic() >= until:
            raise RetriableError("target-silent", url=server.shown, seconds=int(self.timeout))

    @contextmanager
    def _server(self) -> Iterator[FhirServer]:
        """Give a server that no other thread has; after a fault, what is known of it is let go."""
        with self._lock:
            server, uses = self._idle.pop() if self._idle else (self._opened(), 0)
        yield server
        if uses < _USES:
            with self._lock:
                self._idle.append((server, uses + 1))

    def _opened(self) -> FhirServer:
        return open_server(self.where.to, self.context, self.timeout, "decide-target")


def _is_same(raw: JsonObject, study: JsonObject, server: FhirServer) -> bool:
    """Whether what the target has at an id is what was found by the identifier of its study."""
    return reference(study) in (reference(raw), Names(server.tag_system).tagged(raw))
