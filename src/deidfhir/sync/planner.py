"""Decides what must be sent for a study, given what the journal and the target know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject
from deidfhir.sync.journal import DELIVERED, TOMBSTONES, Part, StudyRow, parts_of
from deidfhir.sync.listing import UNLISTED, Listing
from deidfhir.sync.plan import Plan
from deidfhir.sync.recorded import first_recorded
from deidfhir.sync.standing import Standing, versions_of
from deidfhir.sync.target import Found
from deidfhir.sync.unit import Parted, Refused, Statements, Unit, policy_of, with_recorded

_REMEMBERED = 256
"""Studies that are under way; what stands for their instances is asked for several times."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides what must be sent for a study.

    Args:
        listing: How this run saw its source.
        skipped_before: What earlier runs of the source skipped for cause, too.
        covered: Other sources whose places this run has listed, too.
        unexplained: Whether a file is newly skipped that is not known to have delivered anything.
        statements: Tells our Provenance from others', and makes what is left of a statement.
    """

    listing: Listing
    skipped_before: frozenset[str]
    statements: Statements
    covered: frozenset[str] = frozenset()
    unexplained: bool = True
    _mine: dict[str, tuple[object, dict[str, str]]] = field(default_factory=dict)

    def is_settled(self, one: Unit | Refused, row: StudyRow | None) -> bool:
        """Whether the journal says that nothing is to be done for a study."""
        if row is None or not self._is_as_listed(one, row):
            return False
        if self.conflicts(one, row):
            return False
        if isinstance(one, Refused):
            return row.state == "refused"
        # What another source has had stated since says nothing of what this one did.
        part = row.parts.get(self.listing.source)
        said = part.sha if part else "" if row.parts else row.sha
        return row.state == "sent" and one.sha == said

    def _is_as_listed(self, one: Unit | Refused, row: StudyRow) -> bool:
        """Whether the source lists of a study what it did; of a part: some of it."""
        listed, mine = row.sources.get(self.listing.source), self.mine(one)
        if listed is None or self.listing.whole:
            return listed == mine
        return mine.items() <= listed.items()

    def conflicts(self, one: Unit | Refused, row: StudyRow | None) -> bool:
        """Whether another source lists an instance of the same UID with other claims (D19)."""
        others = self.others(row, still=True)
        return any(
            policy_of(digest) == policy_of(other) and digest != other
            for uid, digest in self.mine(one).items()
            for other in others.get(uid, ())
        )

    def is_listed_whole(self) -> bool:
        """Whether what this run did not see of its source is not there: nothing newly skipped."""
        return self.listing.skipped <= self.skipped_before

    def mine(self, one: Unit | Refused) -> dict[str, str]:
        """Return what stands for each instance that this run read of a study → its claims."""
        known = self._mine.get(one.id)
        if known is None or known[0] is not one.instances:
            stands_for = self.statements.stands_for
            mine = {stands_for(uid): digest for uid, digest in one.instances.items()}
            known = self._mine[one.id] = (one.instances, mine)
            if len(self._mine) > _REMEMBERED:
                del self._mine[next(iter(self._mine))]
        return known[1]

    def said(self, one: Unit | Refused) -> Part:
        """Return what this run has stated of a study, with what stands for its files."""
        files = {self.statements.stands_for(uid): file for uid, file in one.files.items()}
        return Part(one.sha if isinstance(one, Unit) else "", files)

    def others(self, row: StudyRow | None, *, still: bool = False) -> dict[str, set[str]]:
        """Return instance → digests of its claims, as other sources list it.

        Args:
            row: What the journal knows.
            still: Whether to leave out sources that list nothing: they only said it once.
        """
        found: dict[str, set[str]] = {}
        for source, instances in (row.sources if row else {}).items():
            if still and source.startswith(UNLISTED):
                continue
            if source not in {self.listing.source, DELIVERED, *self.covered}:
                for uid, digest in instances.items():
                    found.setdefault(uid, set()).add(digest)
        return found

    def elsewhere(self, row: StudyRow | None) -> frozenset[str]:
        """Return what stands for instances that this run need not have seen.

        Other sources list them, or this one does, of which only parts are seen.
        """
        own = {} if self.listing.whole or row is None else row.sources
        return frozenset(self.others(row)) | own.get(self.listing.source, {}).keys()

    def unit(
        self,
        unit: Unit,
        found: Found,
        row: StudyRow | None,
        now: str,
        part: Parted | None = None,
    ) -> Plan:
        """Return the writes that make the target state what a unit states.

        Args:
            unit: The study.
            found: What the target holds of it.
            row: What the journal knows of it.
            now: The instant for statements that are made for the first time.
            part: What of it this run read, and what it knows of the rest.
        """
        part = part or Parted(unit)
        recorded = {
            one["id"]: first_recorded(one["id"], found, row, now, self.statements)
            for one in unit.provenances
        }
        provenances = [with_recorded(one, recorded) for one in unit.provenances]
        before, after = self._rows(unit, row, part, recorded)
        return Plan(
            one=unit,
            puts=unit.spelled([*unit.patients, *unit.studies, *provenances]),
            gone="" if unit.patients else self.patient(unit, found),
            stale=[one for one in self.ours(unit, found, row) if one["id"] not in recorded],
            row=after,
            before=before,
            replaces=found.study is not None or bool(self.ours(unit, found, row)),
            fate="revived" if row is not None and row.state in TOMBSTONES else "",
            read=part.read,
            versions=unit.versions,
            dropped=unit.dropped,
        )

    def _rows(
        self, unit: Unit, row: StudyRow | None, part: Parted, recorded: dict[str, str | None]
    ) -> tuple[StudyRow, StudyRow]:
        """Return the row of a study before its writes are sent, and once they are acknowledged."""
        here = {self.listing.source, *self.covered, DELIVERED}
        mine, said = self.mine(unit), self.said(part.read)
        before = StudyRow(
            "planned",
            "",
            (row.statements if row else {}) | recorded,
            self.sources(mine, row, sent=False),
            parts_of(row, here),
            Standing.under_way(unit.standing, row.standing if row else None),
        )
        after = StudyRow(
            "sent",
            said.sha or unit.sha,
            recorded,
            self.sources(mine, row, sent=True, unread=part.unread),
            {
                **parts_of(row, here, part.lost),
                DELIVERED: Part(unit.sha, {}),
                self.listing.source: self._part(said, row),
            },
            unit.standing,
        )
        return before, after

    def _part(self, said: Part, row: StudyRow | None) -> Part:
        """Return what this source has had stated of a study, with all parts of it that came."""
        before = row.parts.get(self.listing.source) if row else None
        if self.listing.whole or before is None:
            return said
        return Part(said.sha, {**before.files, **said.files})

    def withdrawal(
        self,
        refused: Refused,
        found: Found,
        row: StudyRow | None,
        part: Parted | None = None,
    ) -> Plan:
        """Return the writes that withdraw what was stated of a study now refused.

        Args:
            refused: The study.
            found: What the target holds of it.
            row: What the journal knows of it.
            part: What of it this run read.
        """
        puts = []
        stale = self.ours(refused, found, row)
        if found.study is not None and (stale or "extension" in found.study):
            puts.append(self.statements.withdrawn_study(found.study))
        statements = {one["id"]: one.get("recorded") for one in stale}
        statements |= row.statements if row else {}
        # What is left of the study lists all that it listed before, whatever this run has seen.
        sources = self.sources(self.mine(refused), row, sent=False)
        puts += found.stripped
        return Plan(
            one=refused,
            gone=self.patient(refused, found),
            puts=puts,
            stale=stale,
            row=StudyRow("refused", "", {}, sources),
            before=StudyRow(
                "planned", "", statements, sources, standing=row.standing if row else None
            ),
            replaces=True,
            read=part.read if part else None,
            versions=versions_of(found.stripped),
        )

    def sources(
        self,
        mine: Mapping[str, str],
        row: StudyRow | None,
        *,
        sent: bool,
        unread: frozenset[str] = frozenset(),
    ) -> dict[str, dict[str, str]]:
        """Return which source lists which instances, with what this run has seen.

        Args:
            mine: What this run has read of the study, as `mine` returns it.
            row: What the journal knows of it.
            sent: Whether the target lists exactly this run's instances; before that, what was
                ever delivered is kept, so that what a run left behind is not a stranger's.
            unread: Instances that the target lists, too: a newly skipped file may hold them.
        """
        before = row.sources if row else {}
        kept = {key: listed for key, listed in before.items() if key not in self.covered}
        known = {
            uid: digest
            for source, listed in before.items()
            if source != DELIVERED  # it says of no instance what it claims
            for uid, digest in listed.items()
        }
        # Of what came in parts, each part alone, nothing that was listed before is gone.
        own = {} if self.listing.whole else before.get(self.listing.source, {})
        unread_too = {uid: known.get(uid, "") for uid in unread}
        kept[self.listing.source] = {**own, **unread_too, **mine}
        if sent:
            kept.pop(DELIVERED, None)
        else:
            kept[DELIVERED] = {uid: "" for listed in before.values() for uid in listed}
        return kept

    def ours(self, one: Unit | Refused, found: Found, row: StudyRow | None) -> list[JsonObject]:
        """Return the statements of ours that the target holds and that still say something."""
        journaled = set(row.statements) if row else set()
        return [
            provenance
            for provenance in found.provenances
            if not self.statements.is_withdrawn(provenance)
            and (provenance["id"] in journaled or self.statements.is_ours(provenance, one.key))
        ]

    def patient(self, one: Unit | Refused, found: Found) -> str:
        """Return the id of our Patient if the study that the target holds refers to it."""
        subject = (found.study or {}).get("subject")
        reference = subject.get("reference") if isinstance(subject, dict) else None
        if reference is None:
            return ""
        identity = self.statements.patient_id(one.key)
        return identity if reference == f"Patient/{identity}" else ""
