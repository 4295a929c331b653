"""Mark and sweep: which studies a complete listing of their source no longer has (D19, D20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from deidfhir.errors import FatalError
from deidfhir.sync.journal import DELIVERED, LEAVING, Journal, StudyRow, parts_of
from deidfhir.sync.listing import Listing
from deidfhir.sync.report import SyncReport, Trouble
from deidfhir.sync.retiring import Fate
from deidfhir.sync.settled import Settled
from deidfhir.sync.unit import Listed, Refused, Unit, Vanished

_MOST, _SHARE = 10, 50
"""More than so many studies, and more than one in so many, do not vanish unless confirmed."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a source has delivered and a run of it did not see.

    Args:
        vanished: Ids of the studies that no other source lists.
        elsewhere: Ids of those that another source lists, too.
        total: How many studies the source lists, or has delivered.
    """

    vanished: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    total: int = 0

    @property
    def count(self) -> int:
        """How many studies the source has lost."""
        return len(self.vanished) + len(self.elsewhere)


@dataclass(slots=True)
class Sweep:
    """Marks what a run sees, and says afterwards what has vanished.

    Args:
        journal: Knows what each source has delivered.
        listing: How the run saw its source.
        covered: Other sources whose places the run has listed, too.
        is_whole: Whether nothing was newly skipped for cause.
        fate: What happens to a study that has vanished.
        confirmed: How many studies the operator says have vanished.
    """

    journal: Journal
    listing: Listing
    covered: frozenset[str]
    is_whole: bool
    fate: Fate = "retire"
    confirmed: int = 0
    _seen: set[str] = field(default_factory=set, init=False)
    _missing: Missing | None = field(default=None, init=False)

    def marking(
        self, work: Iterable[Unit | Refused | Listed | Settled]
    ) -> Iterator[Unit | Refused]:
        """Yield the work, and mark every study that is listed, whatever becomes of it."""
        for one in work:
            self._seen.add(one.id)
            if not isinstance(one, (Listed, Settled)):
                yield one

    def vanished(self, report: SyncReport, *, dry_run: bool) -> Iterator[Vanished]:
        """Yield the studies that have vanished, once all work has gone through `marking`.

        Args:
            report: Told of what has vanished, or why it does not count.
            dry_run: Whether the journal must not be changed.
        """
        if not self.listing.complete:
            return  # a file that is gone says nothing of an archive
        missing = self.missing()
        if not self.is_whole:
            if missing.count:
                told = f"{missing.count} studies"
                report.troubles.append(Trouble("listing-incomplete", self.listing.places[0], told))
            return
        if not self._is_sure(missing):
            if self.fate != "keep":
                report.error = FatalError(
                    "too-many-vanished", count=missing.count, total=missing.total
                )
            return
        report.vanished = len(missing.vanished)
        if not dry_run:
            self._let_go(missing)
        if self.fate != "keep":
            yield from map(Vanished, missing.vanished)
            yield from (Vanished(one, told=False) for one in self.unfinished())

    def missing(self) -> Missing:
        """Return what was not seen."""
        if self._missing is None:
            unseen = self.journal.delivered_by(self._sources, self._seen)
            total = len(unseen) + len(self._seen)
            if self.listing.gone is not None:
                unseen &= self.listing.gone
            rows = {one: self.journal.study(one) for one in sorted(unseen)}
            elsewhere = {one for one, row in rows.items() if row and self._others(row)}
            self._missing = Missing(
                tuple(one for one in rows if one not in elsewhere),
                tuple(one for one in rows if one in elsewhere),
                total,
            )
        return self._missing

    def unfinished(self) -> Iterator[str]:
        """Yield what vanished before and is to be looked at once more."""
        for identity in self.journal.in_state(LEAVING):
            row = self.journal.study(identity)
            if identity not in self._seen and row and set(row.sources) <= {DELIVERED}:
                yield identity

    @property
    def is_complete(self) -> bool:
        """Whether what was not seen is not there: folders, all of them walked to their end."""
        return self.listing.complete and self.is_whole

    def has_seen(self, identity: str) -> bool:
        """Whether the source lists a study."""
        return identity in self._seen

    def _is_sure(self, missing: Missing) -> bool:
        """Whether what was not seen may count as vanished without someone saying so.

        An archive that is not mounted looks like one that was emptied. Where there is nothing at
        all, the very number confirms, which nobody says by habit.
        """
        if self.listing.hollow:
            return missing.count in (0, self.confirmed)
        return missing.count <= max(_MOST, missing.total // _SHARE, self.confirmed)

    def _let_go(self, missing: Missing) -> None:
        """Take the source's claim from what others list, and letters from what none does."""
        rows = {one: self.journal.study(one) for one in missing.elsewhere}
        self.journal.put_studies(
            {one: self._without_claim(row) for one, row in rows.items() if row is not None}
        )
        if self.fate == "keep":
            self.journal.dead.take_away(missing.vanished)

    def _without_claim(self, row: StudyRow) -> StudyRow:
        """Return the row of a study that only other sources list.

        What this source alone had of it goes when one of the others states it again.
        """
        row = replace(row, parts=parts_of(row, self._sources))
        kept = {one: listed for one, listed in row.sources.items() if one not in self._sources}
        lost = {uid for one in self._sources for uid in row.sources.get(one, ())}
        if lost <= {uid for listed in self._others(row) for uid in listed}:
            return replace(row, sources=kept)
        kept[DELIVERED] = {uid: "" for listed in row.sources.values() for uid in listed}
        return replace(row, state="planned", sources=kept)

    def _others(self, row: StudyRow) -> list[dict[str, str]]:
        """Return what sources list that this run has not listed."""
        ours = {*self._sources, DELIVERED}
        return [listed for one, listed in row.sources.items() if listed and one not in ours]

    @property
    def _sources(self) -> frozenset[str]:
        return self.covered | {self.listing.source}


def covered_by(listing: Listing, journal: Journal) -> frozenset[str]:
    """Return which other sources a listing has listed, too: their places are inside of its own.

    Args:
        listing: How a run saw its source.
        journal: Knows the places of every source.
    """
    others = journal.sources()
    others.pop(listing.source, None)
    return frozenset(one for one, places in others.items() if listing.covers(places))


def sweep_of(listing: Listing, journal: Journal, fate: Fate) -> Sweep:
    """Return the sweep of a run that only looks.

    Args:
        listing: How the run saw its source.
        journal: The target's.
        fate: What happens to a study that has vanished.
    """
    is_whole = listing.skipped <= journal.skipped(listing.source)
    return Sweep(journal, listing, covered_by(listing, journal), is_whole, fate)
