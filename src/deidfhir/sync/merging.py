"""A part of a study: what the target holds of the rest stays, and is stated with it (D19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deidfhir.fhir.types import JsonObject, reference
from deidfhir.sync.journal import Journal, StudyRow
from deidfhir.sync.listing import Listing
from deidfhir.sync.planner import Planner
from deidfhir.sync.standing import version_of
from deidfhir.sync.standins import PATH_DIGITS
from deidfhir.sync.sweep import covered_by
from deidfhir.sync.target import Found, Target
from deidfhir.sync.unit import (
    HeldPart,
    Parted,
    Refused,
    Statements,
    Unit,
    listed_instances,
    policy_of,
)

PARTIAL, STRANGERS = "partial-study", "instance-source-unknown"


def planner_of(journal: Journal, listing: Listing, statements: Statements) -> Planner:
    """Return what decides for the studies of one run.

    Args:
        journal: The target's journal.
        listing: How the run saw its source.
        statements: What must be known of statements.
    """
    # A file that can be read again is no longer one that is known to be skipped.
    skipped_before = journal.skipped(listing.source) & listing.skipped
    newly = listing.skipped - skipped_before
    known = journal.known_files() if newly else frozenset()
    unexplained = any(one[:PATH_DIGITS] not in known for one in newly)
    return Planner(listing, skipped_before, statements, covered_by(listing, journal), unexplained)


@dataclass(frozen=True, slots=True)
class Kept:
    """The instances that are known of a study and were not read, by what stands for them.

    Args:
        instances: Those that the target lists and that are not gone.
        unread: Those of them that a newly skipped file may hold.
        strangers: Those of them whose source the journal does not know.
        gone: Those that the target lists and that are gone.
        lost: Those that the target does not list, and other sources do, or this one did before of
            which only parts are seen.
    """

    instances: frozenset[str]
    unread: frozenset[str]
    strangers: frozenset[str]
    gone: frozenset[str]
    lost: frozenset[str]


_NOTHING = Kept(*[frozenset[str]()] * 5)


def kept_of(planner: Planner, one: Unit | Refused, found: Found, row: StudyRow | None) -> Kept:
    """Return what is known of a study and was not read.

    An instance is gone only if no source that delivered it lists it any more, this one listed to
    its end and with no newly skipped file that may hold it.

    Args:
        planner: The run's.
        one: What was read.
        found: What the target holds.
        row: What the journal knows.
    """
    held = listed_instances(found.study, planner.statements.stands_for)
    covered = {planner.statements.stands_for(uid) for uid in found.covered}
    if row is None and not held | covered:
        return _NOTHING
    mine, elsewhere = planner.mine(one).keys(), planner.others(row).keys()
    delivered = {uid for listed in (row.sources if row else {}).values() for uid in listed}
    if row is not None and _has_changed(found, row):
        # A statement about theirs as a whole covers what its owner lists since: nobody read that.
        covered &= delivered
    held |= covered
    unseen = held - mine
    strangers = unseen - delivered
    rest = unseen - strangers - elsewhere
    unread = frozenset(uid for uid in rest if _may_be_unread(planner, uid, row))
    return Kept(
        instances=unseen - (rest - unread),
        unread=unread,
        strangers=strangers,
        gone=rest - unread,
        lost=planner.elsewhere(row) - mine - held,
    )


def _has_changed(found: Found, row: StudyRow) -> bool:
    """Whether someone else's may be another than it was when a study was last stated by it."""
    standing = row.standing
    if standing is None or not standing.id:
        return False
    versions = {one["id"]: version_of(one) for one in found.others}
    return not standing.version or versions.get(standing.id) != standing.version


def _may_be_unread(planner: Planner, uid: str, row: StudyRow | None) -> bool:
    """Whether an instance may be there unread: of a part, or in a file that is newly skipped.

    That is its own file, or one that nobody knows.
    """
    if not planner.listing.whole:
        return True
    newly = planner.listing.skipped - planner.skipped_before
    if not newly:
        return False
    files = {part.files[uid] for part in (row.parts if row else {}).values() if uid in part.files}
    own = {one.partition(".")[0] for one in files}
    return planner.unexplained or not own or any(one[:PATH_DIGITS] in own for one in newly)


@dataclass(frozen=True, slots=True)
class Merge:
    """A study with what the target holds of it.

    Args:
        one: The study as it is to be stated, or refused.
        part: What was read of it, and what is known of the rest.
        trouble: Code of the finding for which nothing can be said, or an empty text.
        strangers: Whether it holds instances whose source the journal does not know.
        versions: Reference → the versionId of what was taken from the target.
    """

    one: Unit | Refused
    part: Parted
    trouble: str = ""
    strangers: bool = False
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merger:
    """Joins what a run read of a study with what the target holds of the rest.

    Args:
        target: A server or a folder.
        statements: Knows how to read back what is stated.
        planner: The run's.
    """

    target: Target
    statements: Statements
    planner: Planner

    def merge(self, one: Unit | Refused, found: Found, row: StudyRow | None) -> Merge:
        """Return a study with what the target holds of it.

        Args:
            one: What was read.
            found: What the target holds.
            row: What the journal knows.
        """
        part = Parted(one)
        if isinstance(one, Refused) and one.decisive:
            return Merge(one, part)
        kept = kept_of(self.planner, one, found, row)
        part = Parted(one, kept.unread, kept.lost)
        if kept.lost and row is not None and row.state == "refused":
            return Merge(one, part, PARTIAL)  # what others list was not stated, and is not known
        if not kept.instances:
            return Merge(one, part)
        # What stands by someone else's ImagingStudy is not merged.
        mergeable = found.study is not None and _by_one_policy(
            self.planner.mine(one), kept.instances, row
        )
        if not mergeable:
            return Merge(one, part, PARTIAL)
        held = self._held(one, found, row, kept)
        whole = self.statements.merged(one, held)
        if whole is None:
            return Merge(one, part, PARTIAL)
        taken = [held.study, *held.provenances, *([held.patient] if held.patient else [])]
        return Merge(whole, part, "", bool(kept.strangers), _versions(taken))

    def _held(
        self, one: Unit | Refused, found: Found, row: StudyRow | None, kept: Kept
    ) -> HeldPart:
        patient = self.planner.patient(one, found)
        patients = self.target.read("Patient", [patient]) if patient else {}
        return HeldPart(
            study=found.study or {},
            provenances=tuple(self.planner.ours(one, found, row)),
            patient=patients.get(patient),
            kept=kept.instances,
            same=not kept.gone and self._is_same(one, found, row),
        )

    def _is_same(self, one: Unit | Refused, found: Found, row: StudyRow | None) -> bool:
        """Whether what was read and is held was read from the same files when it was stated."""
        held = listed_instances(found.study, self.statements.stands_for)
        files = self.planner.said(one).files
        parts = row.parts.values() if row else ()
        return all(
            uid in files and any(part.files.get(uid) == files[uid] for part in parts)
            for uid in self.planner.mine(one)
            if uid in held
        )


def _by_one_policy(mine: Mapping[str, str], kept: Iterable[str], row: StudyRow | None) -> bool:
    """Whether no kept instance is known to have been read under another policy than the others."""
    policies = {policy_of(claim) for claim in mine.values()}
    listed = row.sources.values() if row else ()
    before = {policy_of(one[uid]) for uid in kept for one in listed if uid in one}
    return before - {""} <= policies


def _versions(resources: list[JsonObject]) -> dict[str, str]:
    """Return reference → versionId of some resources, where the target counts versions."""
    found = {reference(one): one.get("meta", {}).get("versionId") for one in resources}
    return {name: version for name, version in found.items() if isinstance(version, str)}
