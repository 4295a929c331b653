"""Whether an ImagingStudy on a target is, by what we wrote about it, one of removed identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from deidfhir.fhir.types import JsonObject
from deidfhir.mapping.context import MappingContext
from deidfhir.mapping.enriched import is_enriched
from deidfhir.mapping.foreign import Foreign
from deidfhir.mapping.identity import bare
from deidfhir.mapping.reverse import StatedInstance, read_back
from deidfhir.mapping.steps import marker_sets, steps_of
from deidfhir.mapping.study import map_study
from deidfhir.mapping.withdrawal import is_ours, is_withdrawn
from deidfhir.model.record import Facts, Instance
from deidfhir.model.study import Study
from deidfhir.model.verdict import Verdict, folded, verdict_of
from deidfhir.pipeline.merging import faithful
from deidfhir.sync.guarding import is_subsetted
from deidfhir.sync.journal import DELIVERED, LEAVING, TOMBSTONES, StudyRow
from deidfhir.sync.standing import version_of
from deidfhir.sync.unit import HeldPart, Unit
from deidfhir.tables import table
from deidfhir.web.outcome import objects

INSTANCES, CHANGED, UNDER_WAY = "instances", "changed", "under-way"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an ImagingStudy may be given away, and why.

    Args:
        reason: Key of `mappings/decisions.toml`.
        detail: What more there is to say, or an empty text.
        version: Its versionId on the target, if it may be given away and has one.
        age: Seconds since the target was asked, for one that is remembered.
        lasts: Seconds for which it stands, from when the target was asked.
    """

    reason: str
    detail: str = ""
    version: str = ""
    age: float = field(default=0.0, compare=False)
    lasts: float = field(default=0.0, compare=False)

    @property
    def is_allowed(self) -> bool:
        """Whether it may."""
        allowed: bool = table("decisions.toml")["reason"][self.reason]["allowed"]
        return allowed


def study_uid_of(study: JsonObject) -> str:
    """Return the Study Instance UID of any ImagingStudy; nothing where it has none or several.

    Args:
        study: The resource.
    """
    system = table("urls.toml")["hl7"]["dicom_uid"]
    every = objects(study.get("identifier"))
    found = {bare(str(one.get("value", ""))) for one in every if one.get("system") == system}
    return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True)
class Judgement:
    """What is known of one ImagingStudy of a target, all of it read at about the same time.

    Args:
        study: The resource, the only one of its study.
        uid: Its Study Instance UID.
        provenances: Every Provenance that targets it, whoever wrote it.
        patient: The Patient of ours that it refers to, if it does.
        row: What the journal knows of it; None where it knows nothing or cannot be read.
        context: The mapping's.
    """

    study: JsonObject
    uid: str
    provenances: tuple[JsonObject, ...]
    patient: JsonObject | None
    row: StudyRow | None
    context: MappingContext
    _unreadable: list[str] = field(default_factory=list)

    def decision(self) -> Decision:
        """Return whether the ImagingStudy may be given away."""
        try:
            reason, detail = self._by_journal() or self._by_record()
        except (LookupError, TypeError, ValueError, AttributeError):
            reason, detail = "outdated", CHANGED  # it is in no form that we would have written
        return Decision(reason, detail, version_of(self.study) if reason == "removed" else "")

    @cached_property
    def _owner(self) -> str:
        return self.context.namer.imaging_study(self.uid)

    @cached_property
    def _is_own(self) -> bool:
        return bool(self.study["id"] == self._owner)

    @cached_property
    def _is_enriched(self) -> bool:
        return not self._is_own and is_enriched(self.study, self._owner, self.context)

    def _by_journal(self) -> tuple[str, str] | None:
        """Return what the journal alone says against it."""
        state = self.row.state if self.row else "sent"
        if state in (LEAVING, *TOMBSTONES):
            return "retired", ""
        if state == "refused":
            return "withdrawn", ""
        return None if state == "sent" else ("outdated", UNDER_WAY)

    def _by_record(self) -> tuple[str, str]:
        nothing = self._nothing_stated()
        if nothing:
            return nothing, ""
        if self._is_own and self.study.get("status") == "unknown":
            return "retired", ""
        stated = self._stated()
        verdicts = [one.verdict for one in stated if one.verdict is not None]
        if verdicts and (verdict := folded(verdicts)) is not Verdict.REMOVED:
            return verdict.value, ""
        if not self._covers(stated):
            return "outdated", INSTANCES
        return ("removed", "") if self._is_as_written(stated) else ("outdated", CHANGED)

    def _nothing_stated(self) -> str:
        """Return the reason if no statement of ours stands about it."""
        if self._is_own:
            return "" if "extension" in self.study else "withdrawn"
        if self._is_enriched or self._standing:
            return ""
        # What overwrote a statement of ours says no more whose it was.
        marked = any(is_withdrawn(one, self.context) for one in self.provenances)
        return "withdrawn" if marked else "foreign"

    @cached_property
    def _standing(self) -> tuple[JsonObject, ...]:
        ours = (one for one in self.provenances if is_ours(one, self.uid, self.context))
        return tuple(one for one in ours if not is_withdrawn(one, self.context))

    def _stated(self) -> list[StatedInstance]:
        """Return what our statements say, instance by instance."""
        resource = self.study
        if not self._is_own and not self._is_enriched:
            # Others' extensions say nothing to us, whatever they are called.
            resource = {name: one for name, one in resource.items() if name != "extension"}
        read = read_back([resource, *self._standing], self._unreadable.append)
        return [one for study in read for one in study.instances]

    def _covers(self, stated: list[StatedInstance]) -> bool:
        """Whether every instance that it lists is one of which we say something, and read."""
        lists = Foreign.of(self.study)
        covered = {one.sop_instance_uid for one in stated if one.verdict is not None}
        whole = lists.complete and bool(lists.instances) and not is_subsetted(self.study)
        if not whole or not lists.instances <= covered:
            return False
        if self.row is None:
            return self._is_own or self._is_older()
        standing = self.row.standing
        same = standing is not None and standing.id == self.study["id"] and standing.version
        if same and version_of(self.study) == same:
            return True
        # A statement about all of it covers what was added since, which nobody has read.
        read = {uid for listed in self.row.sources.values() for uid in listed}
        return all(self.context.namer.stands_for(uid) in read for uid in lists.instances)

    def _is_older(self) -> bool:
        """Whether theirs has not changed since we spoke about it: for want of a journal."""
        theirs = _instant(self.study)
        ours = [_instant(one) for one in self._standing]
        return theirs is not None and all(one is not None and theirs <= one for one in ours)

    def _is_as_written(self, stated: list[StatedInstance]) -> bool:
        """Whether our statements are just what the mapping makes of what they say."""
        if self._unreadable or not self._standing:
            return False
        if self._is_own:
            # Of a narrative, servers write all but its words in forms of their own.
            if not self.study.get("text", {}).keys() <= {"status", "div"}:
                return False
            held = HeldPart(self.study, self._standing, self.patient, frozenset(), same=True)
            every = faithful(self.uid, held, self.context)
            return bool(every) and self._is_as_acknowledged(every)
        ids = {one["id"] for one in self._standing}
        known = self.row is None or ids == self.row.statements.keys()
        return known and ids == self._ids_of(stated)

    def _ids_of(self, stated: list[StatedInstance]) -> set[str] | None:
        """Return the ids of all Provenance that speak of just these instances (D17).

        None where a verdict is not that of the markers beside it. Of someone else's ImagingStudy
        not all is known that ours were made of, but whose markers are whose tells their places.
        """
        if any(verdict_of(one.markers)[0] is not one.verdict for one in stated):
            return None
        instances = [
            Instance(Facts(self.uid, one.series_uid, one.markers), one.sop_instance_uid)
            for one in stated
        ]
        return {
            self.context.namer.provenance(self.uid, step.key, each.place)
            for each in marker_sets(instances)
            for step in steps_of(each, self.context)
        }

    def _is_as_acknowledged(self, every: tuple[Instance, ...]) -> bool:
        """Whether it is what the target last took, and no other of the same form."""
        known = self.row.parts.get(DELIVERED) if self.row else None
        if known is None:
            return True
        made = map_study(Study(self.uid, ()), self.context, every)
        own = (made.imaging_study, made.provenances, made.shared, self.uid)
        return known.sha == Unit(*own, {}, "", made.patients).sha


def _instant(resource: JsonObject) -> datetime | None:
    """Return when a target last wrote a resource, if it tells."""
    meta = resource.get("meta")
    told = meta.get("lastUpdated") if isinstance(meta, dict) else None
    return datetime.fromisoformat(told) if isinstance(told, str) else None
